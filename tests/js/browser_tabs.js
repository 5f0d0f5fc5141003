/** A browser with several tabs: locks that one of them holds at a time, and channels between them. */

/** @typedef {{ifAvailable?: boolean, signal?: AbortSignal}} LockOptions */

export class Browser {
  /** @type {Map<string, {wait: (() => void)[]}>} */
  #held = new Map();
  /** @type {Map<string, Set<Channel>>} */
  #channels = new Map();

  /** The names of the locks that are held. */
  get held() {
    return [...this.#held.keys()].sort();
  }

  /** A tab of it, as `tabs.js` has the real one. @returns {Tabs} */
  tab() {
    const request = (/** @type {string} */ name, /** @type {LockOptions} */ options, /** @type {any} */ run) =>
      this.#request(name, options, run);
    return /** @type {any} */ ({
      locks: { request },
      channel: (/** @type {string} */ name) => new Channel(this.#others(name)),
    });
  }

  /** @param {string} name */
  #others(name) {
    const found = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, found);
    return found;
  }

  /** @param {string} name @param {LockOptions} options @param {(lock: object | null) => unknown} run */
  async #request(name, { ifAvailable = false, signal }, run) {
    await null; // a browser asks another process
    signal?.throwIfAborted();
    while (this.#held.has(name)) {
      if (ifAvailable) return run(null);
      await new Promise((resolve, reject) => {
        this.#held.get(name)?.wait.push(() => resolve(undefined));
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
      signal?.throwIfAborted();
    }
    this.#held.set(name, { wait: [] });
    try {
      return await run({ name });
    } finally {
      const wait = this.#held.get(name)?.wait ?? [];
      this.#held.delete(name);
      for (const wake of wait) wake();
    }
  }
}

class Channel {
  #all;
  /** @type {(event: {data: unknown}) => void} */
  #listener = () => {};

  /** @param {Set<Channel>} all */
  constructor(all) {
    this.#all = all;
    all.add(this);
  }

  /** @param {unknown} data */
  postMessage(data) {
    for (const other of this.#all) if (other !== this) other.#listener({ data });
  }

  /** @param {string} _ @param {(event: {data: unknown}) => void} listener */
  addEventListener(_, listener) {
    this.#listener = listener;
  }

  close() {
    this.#all.delete(this);
  }
}
