/**
 * A throttled call: at most once in an interval, at once or at the interval's end. Several requests in one interval are
 * one call; none is dropped.
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

  /** Requests the call. */
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
