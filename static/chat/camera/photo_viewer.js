/**
 * Shows one photo at full size, with zoom; the whole or the visible part can be sent again.
 *
 * The visible part is the crop, so cropping works by touch, wheel and keys.
 */
import { jpeg } from "../photo_file.js";
import { t } from "../words.js";
import { Gestures } from "./gestures.js";
import { moved, part, WHOLE, zoomed } from "./zoom.js";

export { point } from "./overlay.js";

export class PhotoViewer {
  #dialog;
  #told;
  #image;
  #stage;
  #gestures;
  #view = WHOLE;
  /** @type {ShownPhoto} */
  #photo = { url: "", attachment: "", file: null };

  /**
   * @param {HTMLDialogElement} dialog
   * @param {{photos: import("../photos_loader.js").PhotosLoader, ask: () => void}} told `ask` brings the reader to the message box.
   */
  constructor(dialog, told) {
    this.#dialog = dialog;
    this.#told = told;
    this.#image = /** @type {HTMLImageElement} */ (this.#part("image"));
    this.#stage = this.#part("stage");
    this.#gestures = new Gestures(this.#stage, {
      zoom: (factor, at) => this.#zoom(factor, at),
      move: (x, y) => this.#show(moved(this.#view, x, y, this.#size, this.#box)),
    });
    /** @type {Record<string, () => void>} */
    const verbs = {
      close: () => dialog.close(),
      in: () => this.#gestures.key("+"),
      out: () => this.#gestures.key("-"),
      ask: () => void this.#ask(),
    };
    for (const [name, verb] of Object.entries(verbs)) this.#part(name).addEventListener("click", verb);
    dialog.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && this.#gestures.key(event.key)) event.preventDefault();
    });
    dialog.addEventListener("close", () => this.#image.removeAttribute("src"));
    new ResizeObserver(() => dialog.open && this.#show(WHOLE)).observe(this.#stage);
  }

  /** @param {ShownPhoto} photo @param {string} name */
  async open(photo, name) {
    this.#photo = photo;
    this.#image.src = photo.url;
    this.#image.alt = name;
    await this.#image.decode();
    this.#dialog.showModal();
    this.#show(WHOLE);
  }

  get #size() {
    return { width: this.#image.naturalWidth, height: this.#image.naturalHeight };
  }

  get #box() {
    return { width: this.#stage.clientWidth, height: this.#stage.clientHeight };
  }

  get #isWhole() {
    return this.#view.scale === 1;
  }

  /** @param {number} factor @param {{x: number, y: number}} at */
  #zoom(factor, at) {
    this.#show(factor ? zoomed(this.#view, factor, at, this.#size, this.#box) : WHOLE);
  }

  /** @param {View} view */
  #show(view) {
    this.#view = view;
    this.#image.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.#stage.toggleAttribute("data-zoomed", !this.#isWhole);
    const { file } = this.#photo;
    this.#part("ask").textContent = this.#isWhole
      ? t("Ask about this photo")
      : file
        ? t("Keep this part")
        : t("Ask about this part");
    this.#part("ask").hidden = Boolean(file) && this.#isWhole;
    /** @type {HTMLButtonElement} */ (this.#part("out")).disabled = this.#isWhole;
  }

  /** Adds the photo or its visible part to the draft; a draft photo is replaced by its part. */
  async #ask() {
    const { ask } = this.#told;
    const photos = await this.#told.photos.get();
    const { attachment, url, file } = this.#photo;
    if (this.#isWhole) photos.reuse({ attachment, url }, this.#image.alt);
    else {
      const shown = part(this.#view, this.#size, this.#box);
      const cropped = await jpeg(this.#image, shown, t("Part of {name}", { name: this.#image.alt }));
      if (file) photos.remove(file);
      photos.add([cropped], true);
    }
    this.#dialog.close();
    ask();
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(`[data-part=${name}]`));
  }
}
