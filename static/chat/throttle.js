/**
 * A call that is made at most once in an interval: at once if it can be, otherwise when the interval is over. A request
 * is never dropped, and several of one interval are one call.
 */
export class Throttle {
  #clock;
  #interval;
  #call;
  #called = Number.NEGATIVE_INFINITY;
  #cancel = () => {};

  /** @param {Clock} clock @param {number} interval in ms @param {() => void} call */
  constructor(clock, interval, call) {
    this.#clock = clock;
    this.#interval = interval;
    this.#call = call;
  }

  /** Asks for the call. */
  request() {
    this.#cancel();
    const wait = this.#called + this.#interval - this.#clock.now();
    if (wait > 0) this.#cancel = this.#clock.after(wait, () => this.#make());
    else this.#make();
  }

  #make() {
    this.#called = this.#clock.now();
    this.#call();
  }
}
