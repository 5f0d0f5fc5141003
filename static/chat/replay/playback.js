/**
 * Where a replay is: it moves through a recording's moments at their own pace, faster or slower, by steps, or at once.
 */

export class Playback {
  now = 0;
  speed = 1;
  #moments;
  #clock;
  #frame;
  #show;
  #last = 0;
  /** @type {(() => void) | null} */
  #cancel = null;

  /**
   * @param {number[]} moments when each event came, in ms, in order
   * @param {{clock: Pick<Clock, "now">, frame: (call: () => void) => () => void,
   *          show: (count: number, now: number) => void}} means `show` gets how many events have come by now
   */
  constructor(moments, { clock, frame, show }) {
    this.#moments = moments;
    this.#clock = clock;
    this.#frame = frame;
    this.#show = show;
  }

  /** When the last event came, in ms. */
  get end() {
    return this.#moments.at(-1) ?? 0;
  }

  get isPlaying() {
    return this.#cancel !== null;
  }

  /** Plays on; from the beginning where it is at its end. */
  play() {
    if (this.isPlaying) return;
    if (this.now >= this.end) this.now = 0;
    this.#last = this.#clock.now();
    this.#next();
    this.#tell();
  }

  pause() {
    this.#cancel?.();
    this.#cancel = null;
    this.#tell();
  }

  /** Goes to this moment, in ms, and stays there. @param {number} now */
  seek(now) {
    this.now = Math.min(Math.max(now, 0), this.end);
    this.pause();
  }

  /** To the next event, or to the one before; those of one moment stand there together. @param {1 | -1} by */
  step(by) {
    const count = this.#count();
    const shown = this.#moments[count - 1] ?? 0;
    const at = by > 0 ? count : this.#moments.findLastIndex((moment) => moment < shown);
    this.seek(this.#moments[Math.min(Math.max(at, 0), this.#moments.length - 1)] ?? 0);
  }

  #next() {
    this.#cancel = this.#frame(() => {
      const time = this.#clock.now();
      this.now = Math.min(this.now + (time - this.#last) * this.speed, this.end);
      this.#last = time;
      if (this.now < this.end) this.#next();
      else this.#cancel = null;
      this.#tell();
    });
  }

  #tell() {
    this.#show(this.#count(), this.now);
  }

  /** How many events have come by now. */
  #count() {
    let low = 0;
    let high = this.#moments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#moments[middle] <= this.now) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
