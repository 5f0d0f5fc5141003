/**
 * The page's handle on the camera: its modules are loaded when it is first used, and not before.
 */

export class CameraLoader {
  #section;
  #told;
  /** @type {Promise<import("./viewfinder.js").Viewfinder> | null} */
  #loading = null;
  /** @type {import("./viewfinder.js").Viewfinder | null} */
  #viewfinder = null;

  /**
   * @param {HTMLElement} section
   * @param {{photos: import("../photos.js").Photos, ask: (text: string) => void, changed: () => void,
   *          said: (sentence: string) => void}} told
   */
  constructor(section, told) {
    this.#section = section;
    this.#told = told;
  }

  /** Whether a question would take a frame along. */
  get sees() {
    return this.#viewfinder?.sees ?? false;
  }

  /** Opens the camera, or closes it. */
  async toggle() {
    const viewfinder = await this.#load();
    if (viewfinder.isOpen) viewfinder.close();
    else await viewfinder.open();
  }

  /** After the draft photos changed. */
  update() {
    this.#viewfinder?.shots.update();
  }

  /** The frame of this moment, as a list of files; empty where there is no picture. @returns {Promise<File[]>} */
  async frames() {
    const frame = await this.#viewfinder?.frame();
    return frame ? [frame] : [];
  }

  #load() {
    this.#loading ??= import("camera").then(
      ({ Viewfinder }) => {
        this.#viewfinder = new Viewfinder(this.#section, this.#told);
        return this.#viewfinder;
      },
      (error) => {
        this.#loading = null; // the next tap tries again
        throw error;
      },
    );
    return this.#loading;
  }
}
