/**
 * The session: exchanges the cookie for an access token of five minutes, which only this object has.
 */
import { Lost, Refused, refusal } from "./errors.js";
import { t } from "./words.js";

const UNREACHED = t("The server cannot be reached. Look at the connection, then try again.");
/** Renewed this long before it runs out, in ms. */
const MARGIN = 30_000;
/** The timeout of getting a token, in ms. */
const LONGEST = 20_000;
/** The timeout of a response's JSON, in ms: a long chat on a slow line takes its time. */
const LONGEST_JSON = 45_000;

export class Session {
  #fetch;
  #clock;
  #csrf;
  #access = "";
  #until = 0;
  #account = "";
  /** @type {Promise<void> | null} */
  #renewal = null;

  /**
   * @param {{fetch: typeof globalThis.fetch, clock: Clock, csrf: () => string}} means `csrf` gives the newest CSRF token.
   */
  constructor({ fetch, clock, csrf }) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#csrf = csrf;
  }

  /** Forgets the token: the next request gets a new one. */
  forget() {
    this.#until = 0;
  }

  /**
   * Sends a request with the token; after a 401 once more with a new one. Throws Lost without a response.
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Response>}
   */
  async request(path, options = {}) {
    await this.#ready();
    const first = await this.#send(path, options);
    if (first.status !== 401) return first;
    this.forget();
    await this.#ready();
    return this.#send(path, options);
  }

  /**
   * Returns a response's JSON (null for 204). Throws Refused or Lost.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async json(method, path, body) {
    const headers = body ? { "Content-Type": "application/json" } : undefined;
    const attempt = new AbortController();
    const done = this.#clock.after(LONGEST_JSON, () => attempt.abort());
    try {
      const { signal } = attempt;
      const response = await this.request(path, { method, headers, body: body && JSON.stringify(body), signal });
      if (!response.ok) throw await refusal(response);
      return response.status === 204 ? null : await response.json();
    } catch (error) {
      throw error instanceof Refused ? error : new Lost(UNREACHED); // also where it breaks off in its middle
    } finally {
      done();
    }
  }

  /** @param {string} path @param {RequestInit} options */
  async #send(path, options) {
    const headers = { ...options.headers, Authorization: `Bearer ${this.#access}` };
    try {
      return await this.#fetch(path, { ...options, headers, credentials: "omit" });
    } catch (error) {
      throw error instanceof Lost ? error : new Lost(UNREACHED);
    }
  }

  async #ready() {
    if (this.#clock.now() < this.#until) return;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    await this.#renewal;
  }

  async #renew() {
    let response;
    const signal = AbortSignal.timeout(LONGEST);
    try {
      const headers = { "X-CSRFToken": this.#csrf() };
      response = await this.#fetch("/v2/auth/session", { method: "POST", headers, signal });
    } catch {
      throw new Lost(UNREACHED);
    }
    if (!response.ok) throw await refusal(response);
    const { access, expires_in: seconds, user } = await response.json();
    // After signing out elsewhere, this browser's session is another user's.
    if (this.#account && user?.name !== this.#account) throw await refusal(new Response("", { status: 401 }));
    if (user && !user.guest) this.#account = user.name;
    this.#access = access;
    this.#until = this.#clock.now() + seconds * 1000 - MARGIN;
  }
}
