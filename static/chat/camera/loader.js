/**
 * The page's handle on the camera: its modules are loaded when it is first used, and not before.
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
   * @param {{photos: import("../photos.js").Photos, ask: (text: string) => void, changed: () => void,
   *          said: (sentence: string) => void}} told
   */
  constructor(section, told) {
    this.#loaded = new Later(async () => {
      const { Viewfinder } = await import("camera");
      this.#viewfinder = new Viewfinder(section, told);
      return this.#viewfinder;
    });
  }

  /** Whether a question would take a frame along. */
  get sees() {
    return this.#viewfinder?.sees ?? false;
  }

  /** Opens the camera, or closes it. */
  async toggle() {
    const viewfinder = await this.#loaded.get();
    if (viewfinder.isOpen) viewfinder.close();
    else await viewfinder.open();
  }

  /** After the draft photos changed. */
  update() {
    this.#viewfinder?.shots.update();
  }

  /** This is the moment that the next question is about: speech has ended, and its words are still to come. */
  mark() {
    this.#marked = this.#viewfinder?.frame() ?? null;
  }

  /** That question does not come. */
  unmark() {
    this.#marked = null;
  }

  /**
   * The frame of the moment that was marked, else of this one; empty where there is none.
   * @returns {Promise<File[]>}
   */
  async frames() {
    const marked = this.#marked;
    this.#marked = null;
    const frame = await (marked ?? this.#viewfinder?.frame());
    return frame ? [frame] : [];
  }
}
