/**
 * The time of a retry: after the server's Retry-After and a backoff, or when it is woken.
 */
import { later } from "./messages.js";
import { backoff } from "./states.js";

export class Retry {
  /** The number of consecutive failures. */
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

  /** Plans the next attempt. @param {Failure | null} refused the server's error; null without a response */
  plan(refused) {
    this.#refused = refused;
    this.#notBefore = this.#clock.now() + (refused?.retryAfter ?? 0) * 1000;
    this.#until = this.#notBefore + backoff(this.tries, this.#random);
  }

  /** Retries now, unless the server asked to wait. */
  wake() {
    if (this.#clock.now() >= this.#notBefore) this.#watchdog.wake();
  }

  /** Waits for the next attempt; with a Retry-After `tell` is called each second with the rest.
   * @param {(line: string) => void} tell */
  async wait(tell) {
    for (let woken = false; !woken && this.#clock.now() < this.#until; ) {
      const left = this.#notBefore - this.#clock.now();
      if (this.#refused) tell(later(this.#refused, Math.max(0, Math.ceil(left / 1000))));
      woken = await this.#watchdog.pause(left > 0 ? Math.min(1000, left) : this.#until - this.#clock.now());
    }
  }
}
