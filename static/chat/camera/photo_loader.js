/**
 * Loads the photo viewer and the overlay of marks on first use.
 */
import { Later } from "../later.js";
import { download } from "../photo_store.js";
import { PhotoMemory } from "./photo_memory.js";

/** An answer with one of these may have marks (marks.js). */
const POINTS = /["'](?:box_2d|points?)["']\s*:/;

/** Whether a text may have marks; a cheap check. @param {string} text */
export const mayPoint = (text) => POINTS.test(text);

/** @typedef {import("./photo_memory.js").Medium} Medium */
/** @typedef {Pick<Message, "key" | "role" | "status" | "text" | "photos">} Shown */

export class PhotoLoader {
  #list;
  #dialog;
  #told;
  #memory;
  /** @type {readonly Shown[]} */
  #messages = [];
  /** The answers' articles that were checked. @type {WeakSet<HTMLElement>} */
  #seen = new WeakSet();
  #modules = new Later("photo", (module) => module);
  /** @type {import("./photo_viewer.js").PhotoViewer | null} */
  #viewer = null;

  /**
   * @param {HTMLElement} list where the messages are painted
   * @param {HTMLElement} dialog a dialog
   * @param {{session: Requester, photos: import("../photos_loader.js").PhotosLoader,
   *          csrf: () => string, ask: () => void}} told
   */
  constructor(list, dialog, told) {
    this.#list = list;
    this.#dialog = /** @type {HTMLDialogElement} */ (dialog);
    this.#told = told;
    const load = (/** @type {string} */ attachment) => download(told.session, attachment);
    this.#memory = new PhotoMemory(/** @type {HTMLElement} */ (list.parentElement), load, told.csrf);
  }

  /**
   * Called after painting: draws the marks of answers that have ended.
   * @param {readonly Shown[]} messages
   */
  painted(messages) {
    this.#messages = messages;
    for (const [at, answer] of messages.entries()) {
      const isRunning = answer.status === "sending" || answer.status === "running";
      if (answer.role !== "model" || isRunning) continue;
      const article = this.#article(answer);
      if (!article || this.#seen.has(article)) continue;
      const asked = messages.slice(0, at).findLast(({ photos }) => photos.some(({ mimeType }) => !mimeType));
      const question = asked && this.#article(asked);
      if (asked && !question) continue; // it is painted later
      this.#seen.add(article);
      if (question && mayPoint(answer.text)) this.#point(article, question, answer.text);
    }
  }

  /** Shows a message's photo or sound. @param {Medium} element @param {Photo} photo */
  show(element, photo) {
    this.#memory.show(element, photo);
  }

  /** Loads all photos of the chat, to be printed. */
  loadAll() {
    return this.#memory.loadAll();
  }

  /** Opens the button's photo. @param {HTMLElement} button */
  async open(button) {
    const image = /** @type {HTMLImageElement} */ (button.querySelector("img"));
    if (!image.src) return; // it has not arrived yet
    const key = button.closest("article")?.dataset.key;
    const message = this.#messages.find((found) => found.key === key);
    const at = [...(button.parentElement?.children ?? [])].indexOf(button);
    const attachment = message?.photos[at]?.attachment ?? button.dataset.attachment ?? "";
    const { PhotoViewer } = await this.#modules.get();
    this.#viewer ??= new PhotoViewer(this.#dialog, this.#told);
    const file = attachment ? null : (await this.#told.photos.get()).fileOf(image.src);
    await this.#viewer.open({ url: image.src, attachment, file }, image.alt);
  }

  /** @param {HTMLElement} article @param {HTMLElement} question @param {string} text */
  #point(article, question, text) {
    const images = /** @type {HTMLImageElement[]} */ ([...question.querySelectorAll("[data-part=photos] img")]);
    this.#modules.use(({ point }) => {
      if (!article.querySelector(".pointed")) void point(article, images, text);
    });
  }

  /** @param {Shown} message @returns {HTMLElement | null} */
  #article({ key }) {
    return this.#list.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }
}
