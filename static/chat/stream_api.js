/**
 * The requests of one turn: start, follow, stop, and a check whether the server responds.
 */
import { refusal } from "./errors.js";

/** The timeout of that check, in ms. */
const ANSWERS_WITHIN = 4_000;

export class StreamApi {
  #session;

  /** @param {Requester} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * Follows the stream from the query's cursor; without a stream starts it. After a start the server records its write
   * times, for the receipt; other readers get a snapshot first.
   * @param {string} stream @param {string} body the question @param {string} query @param {AbortSignal} signal
   */
  request(stream, body, query, signal) {
    const headers = { [body ? "X-WonderCam-Receipt" : "X-WonderCam-Snapshot"]: "1" };
    if (stream) return this.#session.request(`/v2/streams/${stream}${query}`, { headers, signal });
    const typed = { "Content-Type": "application/json", ...headers };
    return this.#session.request(`/v2/echat${query}`, { method: "POST", headers: typed, body, signal });
  }

  /** Throws Refused or Lost. @param {string} stream */
  async stop(stream) {
    const response = await this.#session.request(`/v2/streams/${stream}/stop`, { method: "POST" });
    if (!response.ok) throw await refusal(response);
  }

  /**
   * Whether a small request gets a response. If not, the browser has no free connection (six for all tabs with
   * HTTP/1.1) or no network, so it cannot be known whether a proxy buffers.
   */
  async answers() {
    try {
      await this.#session.request("/healthz", { signal: AbortSignal.timeout(ANSWERS_WITHIN) });
      return true;
    } catch {
      return false;
    }
  }
}

/** What was begun. @param {Response} response */
export function namesOf({ headers }) {
  const name = (/** @type {string} */ field) => headers.get(field) ?? "";
  return {
    stream: name("X-Stream-Id"),
    conversation: name("X-Conversation-Id"),
    question: name("X-Message-Id"),
    answer: name("X-Answer-Id"),
  };
}
