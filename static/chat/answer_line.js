/**
 * How a tab reads a running answer: by a connection of its own, by polling, or from another tab, since only one of the
 * tabs that show an answer reads it and passes its events on.
 *
 * A browser opens six connections to a server for all its tabs (HTTP/1.1). One has the feed, and each of LINES an
 * answer; the others stay free for requests, above all to stop. A tab without a free line polls. Without locks (plain
 * HTTP from another machine) each tab reads for itself.
 */
import { cursorOf } from "./events.js";
import { HIDDEN_POLL, POLL } from "./watchdog.js";

const LINES = ["wondercam-line-1", "wondercam-line-2", "wondercam-line-3"];

export class AnswerLine {
  /** Whether a proxy buffers streams. */
  isHeldBack = false;
  /** Whether this tab is hidden. */
  isHidden = false;
  /** Whether another tab reads the answer and passes its events to this one. */
  #isHeard = false;
  #isFree = true;
  #tabs;
  #reader;
  #watchdog;
  /** @type {ReturnType<Tabs["channel"]> | null} */
  #channel = null;
  /** @type {Set<string>} */
  #locks = new Set();
  #release = () => {};
  #released = Promise.resolve();
  #waiting = new AbortController();
  /** One change of what is held at a time. */
  #changing = Promise.resolve();
  /** @type {SentEvent[]} */
  #heard = [];
  #isPausing = false;

  /** @param {Tabs | null} tabs @param {import("./cursor_reader.js").CursorReader} reader
   * @param {import("./watchdog.js").Watchdog} watchdog */
  constructor(tabs, reader, watchdog) {
    this.#tabs = tabs;
    this.#reader = reader;
    this.#watchdog = watchdog;
    this.#renew();
  }

  /** Whether this tab has no connection for the answer. */
  get polls() {
    return this.isHeldBack || this.isHidden || !this.#isFree;
  }

  /** Reserves a connection, unless another tab has one or none is free. Returns whether to poll instead.
   * @param {string} stream "" for one that has not begun */
  async take(stream) {
    if (!stream) return this.isHeldBack;
    this.#changing = this.#changing.then(() => (this.isHidden ? undefined : this.#take(stream)));
    await this.#changing;
    return this.polls;
  }

  /** Called when this tab is hidden. */
  hide() {
    this.isHidden = true;
    this.leave();
  }

  /** Releases the connection: another tab reads on. */
  leave() {
    this.#changing = this.#changing.then(() => {
      this.#release();
      this.#renew();
    });
  }

  /** Passes an event to the other tabs. @param {SentEvent} event */
  pass({ id, data }) {
    this.#channel?.postMessage({ id, data });
  }

  /** Waits between two polls. Events of other tabs are taken; if one is missing before them, the wait ends. */
  async pause() {
    this.#isPausing = true;
    if (this.#takeHeard())
      await this.#watchdog.pause(!this.isHeldBack && (this.isHidden || this.#isHeard) ? HIDDEN_POLL : POLL);
    this.#isPausing = false;
    this.#heard = []; // the next look finds them
  }

  #renew() {
    this.#waiting.abort();
    this.#waiting = new AbortController();
    this.#channel?.close();
    this.#channel = null;
    this.#locks.clear();
    this.#released = new Promise((resolve) => {
      this.#release = () => resolve(undefined);
    });
  }

  /** @param {string} stream */
  async #take(stream) {
    if (!this.#tabs) return;
    const name = `wondercam-answer-${stream}`;
    if (!this.#channel) {
      this.#channel = this.#tabs.channel(name);
      this.#channel.addEventListener("message", ({ data }) => this.#hear(data));
    }
    this.#isHeard = !(await this.#lock(name));
    this.#isFree = !this.#isHeard && (await this.#lock(...LINES));
    if (this.#isHeard) this.#await(this.#tabs, name);
  }

  /** Whether this tab holds one of these locks now. @param {string[]} names */
  async #lock(...names) {
    for (const name of names) if (this.#locks.has(name)) return true;
    for (const name of names) {
      const isFree = await new Promise((resolve) => {
        void this.#tabs?.locks.request(name, { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          return lock && this.#released;
        });
      });
      if (!isFree) continue;
      this.#locks.add(name);
      return true;
    }
    return false;
  }

  /** Wakes this tab when the reading tab releases its lock. @param {Tabs} tabs @param {string} name */
  #await({ locks }, name) {
    this.#waiting.abort();
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    locks.request(name, { signal }, () => this.#watchdog.wake()).catch(() => {}); // given up before
  }

  /** @param {SentEvent} event */
  #hear(event) {
    this.#heard.push(event);
    if (this.#isPausing && !this.#takeHeard()) this.#watchdog.wake();
  }

  /** Takes the next events. Returns whether more may follow: none is missing, and the answer has not ended. */
  #takeHeard() {
    for (const event of this.#heard.splice(0)) {
      if ((cursorOf(event.id)?.seq ?? -1) > this.#reader.seq + 1) return false;
      this.#reader.take(event);
    }
    return !this.#reader.isOver;
  }
}
