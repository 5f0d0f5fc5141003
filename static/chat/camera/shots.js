/**
 * The photos taken for the next question, which are kept in the page until it is sent.
 */
import { t } from "../words.js";

export class Shots {
  #photos;
  #retake;
  #said;
  /** @type {WeakSet<File>} */
  #taken = new WeakSet();

  /**
   * @param {import("../photos_loader.js").PhotosLoader} photos the composer's drafts
   * @param {HTMLElement} retake shown while there is a photo to take again
   * @param {(sentence: string) => void} said
   */
  constructor(photos, retake, said) {
    this.#photos = photos;
    this.#retake = retake;
    this.#said = said;
  }

  /** @param {File} photo */
  async add(photo) {
    this.#taken.add(photo);
    await this.#photos.add([photo], { unsent: true });
    if (this.#photos.files.includes(photo)) this.#said(t("Photo taken. Ask about it, or take another."));
  }

  /** Drops the newest unsent one. */
  retake() {
    const last = this.#last;
    if (last) void this.#photos.get().then((photos) => photos.remove(last));
    this.#said(t("Photo removed. Take another."));
  }

  /** Called after the draft photos changed: there may be none left to drop. */
  update() {
    this.#retake.hidden = !this.#last;
  }

  get #last() {
    return this.#photos.files.findLast((file) => this.#taken.has(file));
  }
}
