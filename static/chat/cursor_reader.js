/**
 * Reads a stream's events, each once and in order, over any number of connections.
 */
import { createParser } from "eventsource-parser";
import { Lost } from "./errors.js";
import { cursorOf, DONE, endOf, isSnapshot } from "./events.js";

export class CursorReader {
  /** The seq of the last event; -1 before the first. */
  seq = -1;
  /** Whether the server has sent [DONE]. */
  done = false;
  /** @type {End | null} */
  end = null;
  /** @type {Failure | null} */
  error = null;
  #received;

  /** @param {(seq: number, response: GeminiResponse) => void} received */
  constructor(received) {
    this.#received = received;
  }

  /** Whether the stream has ended. */
  get isOver() {
    return this.done || this.end !== null;
  }

  /**
   * Reads a body to its end or its [DONE]. Throws Lost if the connection is cut.
   * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
   * @param {() => void} heard is called for every chunk
   * @param {(event: SentEvent) => void} pass gets each event in sequence
   */
  async read(body, heard, pass) {
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent: (event) => this.take(event) && pass(event) });
    const reader = body.getReader();
    while (!this.done) {
      const { done, value } = await reader.read().catch(broken);
      if (done) break;
      heard();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  /** Takes an event. Returns whether it is the next one. @param {SentEvent} event */
  take({ id, data }) {
    if (data === DONE) this.done = true;
    const cursor = cursorOf(id);
    // An error without a seq: only this connection was ended, as by a sign-out; the answer continues.
    if (!cursor && data.startsWith('{"error"')) throw new Lost("The server ended this reading.");
    if (!cursor || cursor.seq <= this.seq) return false;
    const response = /** @type {GeminiResponse} */ (JSON.parse(data));
    const isNext = !isSnapshot(response);
    if (cursor.seq > this.seq + 1 && isNext) throw new Lost("An event is missing.");
    this.seq = cursor.seq;
    if (cursor.seq > 0) this.end = endOf(response);
    this.error = response.error ?? null;
    this.#received(cursor.seq, response);
    return isNext;
  }
}

/** @param {unknown} error @returns {never} */
function broken(error) {
  throw error instanceof Lost ? error : new Lost(String(error));
}
