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
/** A page that nobody looks at asks only this often what there is. */
export const HIDDEN_POLL = 5_000;
/** A request to stop that is not answered within this long is taken for one that found no free connection. */
export const STOP_WAIT = 500;

export class Watchdog {
  #clock;
  #heard = 0;
  #unwatch = () => {};
  #wake = () => {};

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** How long the line has said nothing, in ms. */
  get silence() {
    return this.#clock.now() - this.#heard;
  }

  /** Starts the watch anew: `expired` is called after `delay` ms unless this or `stop` is called before. */
  watch(/** @type {number} */ delay, /** @type {() => void} */ expired) {
    this.stop();
    this.#heard = this.#clock.now();
    this.#unwatch = this.#clock.after(delay, expired);
  }

  /** Ends the watch. */
  stop() {
    this.#unwatch();
  }

  /** Resolves after `delay` ms, or at `wake`: whether it was woken. @param {number} delay @returns {Promise<boolean>} */
  pause(delay) {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delay, () => resolve(false));
      this.#wake = () => {
        cancel();
        resolve(true);
      };
    });
  }

  /** Ends the pause, if there is one. */
  wake() {
    this.#wake();
  }
}
