/**
 * The requests of one turn: ask, follow, stop, and whether the server answers at all.
 */
import { refusal } from "./errors.js";

/** A server that is there says so within this long, in ms. */
const ANSWERS_WITHIN = 4_000;

export class StreamApi {
  #session;

  /** @param {Requester} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * The stream from where the query says; without a stream the question is asked. Whoever asked will leave a receipt, so
   * the server notes when it writes the events to this reader; whoever did not gets what was said so far in one.
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
   * Whether a small request is answered. Where it is not, the browser has no connection left for this page (six for
   * all tabs with HTTP/1.1) or the network is away, and nothing can be said about what lies between.
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
