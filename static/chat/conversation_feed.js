/**
 * The feed of the user's conversations: one connection, resumed after the last line by its id.
 */
import { createParser } from "eventsource-parser";
import { Lost, Refused, refusal } from "./errors.js";
import { DONE } from "./events.js";
import { backoff } from "./states.js";
import { SILENCE, Watchdog } from "./watchdog.js";

/** The shortest pause before a reconnect, in ms. */
const LEAST = 1_000;

export class ConversationFeed {
  /** The id of the last line; "" to start with new ones. */
  place = "";
  #session;
  #watchdog;
  #random;
  #tell;

  /**
   * @param {{session: Requester, clock: Clock, tell: (place: string, line: FeedLine) => void, random?: () => number}} means
   */
  constructor({ session, clock, tell, random = Math.random }) {
    this.#session = session;
    this.#watchdog = new Watchdog(clock);
    this.#tell = tell;
    this.#random = random;
  }

  /** Reads until `signal` aborts, or the server refuses permanently. @param {AbortSignal} signal */
  async run(signal) {
    signal.addEventListener("abort", () => this.#watchdog.wake());
    for (let tries = 1; !signal.aborted; tries += 1) {
      const before = this.place;
      try {
        await this.#read(signal);
      } catch (problem) {
        if (signal.aborted) return;
        if (problem instanceof Refused && problem.isFinal) return;
      }
      if (this.place !== before) tries = 1;
      if (!signal.aborted) await this.#watchdog.pause(LEAST + backoff(tries, this.#random));
    }
  }

  /** Reads the stored lines after the last one. Throws Refused or Lost. @param {AbortSignal} signal */
  async look(signal) {
    if (this.place) await this.#read(signal, "?poll=1");
  }

  /** @param {AbortSignal} signal @param {string} [query] */
  async #read(signal, query = "") {
    const attempt = new AbortController();
    const giveUp = () => attempt.abort(new Lost("The line is silent."));
    signal.addEventListener("abort", giveUp);
    try {
      this.#watchdog.watch(SILENCE, giveUp);
      const headers = this.place ? { "Last-Event-ID": this.place } : undefined;
      const response = await this.#session.request(`/v2/feed${query}`, { headers, signal: attempt.signal });
      if (!response.ok) throw await refusal(response);
      const body = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body);
      await this.#follow(body, () => this.#watchdog.watch(SILENCE, giveUp));
    } finally {
      signal.removeEventListener("abort", giveUp);
      this.#watchdog.stop();
      attempt.abort();
    }
  }

  /** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body @param {() => void} heard */
  async #follow(body, heard) {
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ id, data }) => {
        if (!id || data === DONE) return; // this reading was ended, and the feed goes on
        this.place = id;
        this.#tell(id, JSON.parse(data));
      },
    });
    const reader = body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      heard();
      parser.feed(decoder.decode(read.value, { stream: true }));
    }
  }
}
