/**
 * Timers with an injected clock: a watchdog over an idle connection, and a pause that can be interrupted.
 */

/** After so long without a byte the connection is dead: between 2 and 3 heartbeats of 15 s. */
export const SILENCE = 40_000;
/** The server sends bytes at once: headers without any after them mean that a proxy buffers the stream. */
export const FIRST_BYTE = 10_000;
/** When the page becomes visible, a connection that was idle for so long is replaced. */
export const STALE = 20_000;
export const POLL = 1_000;
/** The interval of polls by a hidden page. */
export const HIDDEN_POLL = 5_000;
/** A stop request without a response for so long has probably found no free connection. */
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

  /** How long the connection has been idle, in ms. */
  get silence() {
    return this.#clock.now() - this.#heard;
  }

  /** Restarts the watchdog: `expired` is called after `delay` ms unless this or `stop` is called before. */
  watch(/** @type {number} */ delay, /** @type {() => void} */ expired) {
    this.stop();
    this.#heard = this.#clock.now();
    this.#unwatch = this.#clock.after(delay, expired);
  }

  /** Stops the watchdog. */
  stop() {
    this.#unwatch();
  }

  /** Waits for `delay` ms, or until `wake`. Resolves with whether it was woken. @param {number} delay @returns {Promise<boolean>} */
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
