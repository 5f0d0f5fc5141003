/** A clock that is moved by hand. */
export class FakeClock {
  #now = 0;
  /** @type {{at: number, call: () => void}[]} */
  #timers = [];

  now() {
    return this.#now;
  }

  /** @param {number} delay @param {() => void} call */
  after(delay, call) {
    const timer = { at: this.#now + delay, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets this much time pass; whatever falls due in it happens, in order. @param {number} delay */
  async pass(delay) {
    const end = this.#now + delay;
    await settled();
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.#now = Math.max(this.#now, due.at);
      this.#timers = this.#timers.filter((other) => other !== due);
      due.call();
      await settled();
    }
    this.#now = end;
  }
}

/** All promises that can go on have gone on. */
export async function settled() {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}
