/**
 * Loads the draft's photos with the first of them.
 */
import { Later } from "./later.js";

export class PhotosLoader {
  #later;
  #told;
  /** @type {import("./photos.js").Photos | null} */
  #photos = null;
  /** How many have been added while the module is on its way. */
  #coming = 0;
  #isWanted = false;

  /** @param {ConstructorParameters<Modules["photos"]["Photos"]>} means */
  constructor(...means) {
    this.#told = means[2];
    this.#later = new Later("photos", ({ Photos }) => {
      this.#photos = new Photos(...means);
      return this.#photos;
    });
  }

  get count() {
    return this.#coming + (this.#photos?.count ?? 0);
  }

  get files() {
    return this.#photos?.files ?? [];
  }

  get() {
    this.#isWanted = true;
    return this.#later.get();
  }

  /** Adds files to the draft. @param {File[]} files @param {{unsent?: boolean}} [how] */
  async add(files, { unsent = false } = {}) {
    if (!files.length) return;
    this.#coming += files.length;
    try {
      const photos = await this.get();
      this.#coming -= files.length;
      photos.add(files, unsent);
    } catch (error) {
      this.#coming -= files.length;
      this.#told.problem(/** @type {Error} */ (error).message);
    }
  }

  /** Takes the photos for a message. @param {AbortSignal} [signal] @returns {Promise<Photo[]>} */
  async take(signal = new AbortController().signal) {
    return this.#isWanted ? (await this.get()).take(signal) : [];
  }

  /** Called before another chat is shown. @param {import("./draft.js").Draft} draft */
  leave(draft) {
    if (this.#isWanted) void this.#later.use((photos) => photos.leave(draft));
  }

  /** Shows the photos of a chat's draft. @param {import("./draft.js").Draft} draft */
  restore(draft) {
    this.#isWanted ||= draft.read().photos.length > 0;
    if (this.#isWanted) void this.#later.use((photos) => photos.restore(draft));
  }
}
