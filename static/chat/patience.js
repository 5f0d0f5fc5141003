/**
 * Waiting, with a clock that is handed in: a watchdog over a silent line, and a pause that can be cut short.
 */

/** Without a byte for this long the line is dead: between 2 and 3 heartbeats of 15 s. */
export const SILENCE = 40_000;
/** A server says something at once: headers without a byte after them mean that something holds the stream back. */
export const FIRST_BYTE = 10_000;
/** When the page comes back to the front, a line that was silent this long is not trusted. */
export const STALE = 20_000;
export const POLL = 1_000;

export class Patience {
  #clock;
  #heard = 0;
  #unwatch = () => {};
  #rouse = () => {};

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** How long the line has said nothing, in ms. */
  get silence() {
    return this.#clock.now() - this.#heard;
  }

  /** Starts the watch anew: `bark` is called after `delay` ms unless this or `rest` is called before. */
  watch(/** @type {number} */ delay, /** @type {() => void} */ bark) {
    this.rest();
    this.#heard = this.#clock.now();
    this.#unwatch = this.#clock.after(delay, bark);
  }

  /** Ends the watch. */
  rest() {
    this.#unwatch();
  }

  /** Resolves after `delay` ms, or when roused. @param {number} delay @returns {Promise<void>} */
  pause(delay) {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delay, resolve);
      this.#rouse = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Ends the pause, if there is one. */
  rouse() {
    this.#rouse();
  }
}
