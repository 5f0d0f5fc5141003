/**
 * Modules that are loaded on first use, by their names in the import map (wondercam/staticfiles.py).
 */
import { t } from "./words.js";

/** What a module is for. @type {Record<string, string>} */
const PARTS = {
  camera: t("the camera"),
  instruction: t("the instructions"),
  "own-keys": t("the API keys"),
  photo: t("the photo"),
  photos: t("the photo"),
  "photos-shown": t("the photo"),
  replay: t("the replay"),
  settings: t("the settings"),
  switcher: t("the search"),
  voice: t("the voice"),
};

/** How often each has failed. @type {Record<string, number>} */
const failed = {};

/**
 * Loads a module; its error says which, and what to do. After a failure the address is a new one: Firefox does not
 * fetch one again that has failed in this page.
 * @template {keyof Modules} N
 * @param {N} name @returns {Promise<Modules[N]>}
 */
export async function load(name) {
  const tries = failed[name];
  try {
    return await import(tries ? `${import.meta.resolve(name)}?${tries}` : name);
  } catch (cause) {
    failed[name] = (tries ?? 0) + 1;
    const part = PARTS[name] ?? t("a part of the page");
    throw new Error(t("Could not load {part}. Look at the connection, then try again.", { part }), { cause });
  }
}

/**
 * What is made of a module on its first use.
 * @template {keyof Modules} N
 * @template T
 */
export class Later {
  #name;
  #make;
  #load;
  /** @type {Promise<T> | null} */
  #made = null;

  /** @param {N} name @param {(module: Modules[N]) => T} make @param {(name: N) => Promise<Modules[N]>} [from] */
  constructor(name, make, from = load) {
    this.#name = name;
    this.#make = make;
    this.#load = from;
  }

  /** Makes it, once; after a failure the next call tries again. @returns {Promise<T>} */
  async get() {
    this.#made ??= this.#load(this.#name).then(this.#make);
    try {
      return await this.#made;
    } catch (error) {
      this.#made = null;
      throw error;
    }
  }

  /**
   * Uses it once it is made; does nothing if loading fails, as while the page is left.
   * @param {(made: T) => unknown} does
   */
  use(does) {
    void this.get().then(does, () => {});
  }
}
