/**
 * What is loaded when it is first asked for.
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

  /** Loads it, once; a load that fails is tried again by the next call. @returns {Promise<T>} */
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
   * Does something with it once it is loaded; nothing where it cannot be, as in a page that is left meanwhile.
   * @param {(loaded: T) => unknown} does
   */
  use(does) {
    void this.get().then(does, () => {});
  }
}
