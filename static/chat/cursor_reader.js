/**
 * How far a stream has been read: each event once, in order, whatever the line does in between.
 */
import { createParser } from "eventsource-parser";
import { Lost } from "./errors.js";
import { cursorOf, DONE, endOf, isSnapshot } from "./events.js";

export class CursorReader {
  /** The last event that was read; -1 before the first. */
  seq = -1;
  /** The server has said that nothing follows. */
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

  /** Whether nothing is left to read. */
  get isOver() {
    return this.done || this.end !== null;
  }

  /**
   * Reads a body to its end or its [DONE]. Throws Lost when the line breaks.
   * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
   * @param {() => void} heard is called at every sign of life
   * @param {(event: SentEvent) => void} pass is given each event that follows on the one before
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

  /** Takes an event; whether it follows on the one before. @param {SentEvent} event */
  take({ id, data }) {
    if (data === DONE) this.done = true;
    const cursor = cursorOf(id);
    // An error without a place in the stream: this reading was ended, say by a sign-out, and the answer goes on.
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
