/**
 * A module that is loaded on first use.
 * @template T
 */
export class Later {
  #load;
  /** @type {Promise<T> | null} */
  #loading = null;

  /** @param {() => Promise<T>} load */
  constructor(load) {
    this.#load = load;
  }

  /** Loads it, once; after a failure the next call tries again. @returns {Promise<T>} */
  async get() {
    this.#loading ??= this.#load();
    try {
      return await this.#loading;
    } catch (error) {
      this.#loading = null;
      throw error;
    }
  }

  /**
   * Uses it once it is loaded; does nothing if loading fails, as while the page is left.
   * @param {(loaded: T) => unknown} does
   */
  use(does) {
    void this.get().then(does, () => {});
  }
}
