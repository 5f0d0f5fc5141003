/**
 * Loads the camera's modules on first use.
 */

import { Later } from "../later.js";

export class CameraLoader {
  #loaded;
  /** @type {import("./viewfinder.js").Viewfinder | null} */
  #viewfinder = null;
  /** @type {Promise<File | null> | null} */
  #marked = null;

  /**
   * @param {HTMLElement} section
   * @param {{photos: import("../photos_loader.js").PhotosLoader, ask: (text: string) => void, changed: () => void,
   *          said: (sentence: string) => void}} told
   */
  constructor(section, told) {
    this.#loaded = new Later("camera", ({ Viewfinder }) => {
      this.#viewfinder = new Viewfinder(section, told);
      return this.#viewfinder;
    });
  }

  /** Whether a question would include a frame. */
  get sees() {
    return this.#viewfinder?.sees ?? false;
  }

  /** Opens the camera, or closes it. */
  async toggle() {
    const viewfinder = await this.#loaded.get();
    if (viewfinder.isOpen) viewfinder.close();
    else await viewfinder.open();
  }

  /** Called after the draft photos changed. */
  update() {
    this.#viewfinder?.shots.update();
  }

  /** Keeps the current frame for the next question: speech has ended, and its text will follow. */
  mark() {
    this.#marked = this.#viewfinder?.frame() ?? null;
  }

  /** Drops that frame: no question follows. */
  unmark() {
    this.#marked = null;
  }

  /**
   * The kept frame, else the current one; empty if there is none.
   * @returns {Promise<File[]>}
   */
  async frames() {
    const marked = this.#marked;
    this.#marked = null;
    const frame = await (marked ?? this.#viewfinder?.frame());
    return frame ? [frame] : [];
  }
}
