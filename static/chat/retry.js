/**
 * When a request that failed goes out again: after what the server asked for and a back-off, or as soon as it is woken.
 */
import { later } from "./messages.js";
import { backoff } from "./states.js";

export class Retry {
  /** How many tries have failed in a row. */
  tries = 0;
  #clock;
  #watchdog;
  #random;
  #notBefore = 0;
  #until = 0;
  /** @type {Failure | null} */
  #refused = null;

  /** @param {Clock} clock @param {import("./watchdog.js").Watchdog} watchdog @param {() => number} random */
  constructor(clock, watchdog, random) {
    this.#clock = clock;
    this.#watchdog = watchdog;
    this.#random = random;
  }

  /** Plans the next try. @param {Failure | null} refused what the server said, null where nothing came back */
  plan(refused) {
    this.#refused = refused;
    this.#notBefore = this.#clock.now() + (refused?.retryAfter ?? 0) * 1000;
    this.#until = this.#notBefore + backoff(this.tries, this.#random);
  }

  /** Tries now, unless the server asked to wait. */
  wake() {
    if (this.#clock.now() >= this.#notBefore) this.#watchdog.wake();
  }

  /** Waits for the next try; where the server said how long, `tell` is told each second how much is left of it.
   * @param {(line: string) => void} tell */
  async wait(tell) {
    for (let woken = false; !woken && this.#clock.now() < this.#until; ) {
      const left = this.#notBefore - this.#clock.now();
      if (this.#refused) tell(later(this.#refused, Math.max(0, Math.ceil(left / 1000))));
      woken = await this.#watchdog.pause(left > 0 ? Math.min(1000, left) : this.#until - this.#clock.now());
    }
  }
}
