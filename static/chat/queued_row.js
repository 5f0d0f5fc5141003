/**
 * One queued message: its text, its photos, and the field to edit it.
 */
import { photoButton } from "./photo_button.js";
import { download } from "./photo_store.js";
import { t } from "./words.js";

/** @typedef {{id: string, text: string, parts: Stored["parts"], model: string}} Queued */

export class QueuedRow {
  element;
  #message;
  #session;
  #photos = "";

  /** @param {HTMLTemplateElement} template @param {Queued} message @param {Requester} session */
  constructor(template, message, session) {
    this.#session = session;
    const copy = /** @type {Element} */ (template.content.firstElementChild).cloneNode(true);
    this.element = /** @type {HTMLElement} */ (copy);
    this.#message = message;
    const said = this.#part("said");
    said.id = `queued-${message.id}`; // says which message a button is for
    for (const button of this.element.querySelectorAll("button")) button.setAttribute("aria-describedby", said.id);
    this.show(message);
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
  }

  get id() {
    return this.#message.id;
  }

  /** The unsaved edit of its text, or "". */
  get unsaved() {
    const typed = this.#form.hidden ? "" : this.#field.value;
    return typed === this.#message.text ? "" : typed;
  }

  /** @param {Queued} message */
  show(message) {
    this.#message = message;
    this.#part("said").textContent = message.text || t("Photos: {number}", { number: this.#kept.length });
    const ids = this.#kept.filter(({ mimeType }) => !mimeType).map(({ attachment }) => String(attachment));
    if (this.#photos === String(ids)) return;
    this.#photos = String(ids);
    this.#forget();
    this.#part("photos").replaceChildren(...ids.map((id) => this.#photo(id)));
  }

  /** Removes the row. */
  leave() {
    this.#forget();
    this.element.remove();
  }

  #forget() {
    for (const { src } of this.element.querySelectorAll("img")) URL.revokeObjectURL(src);
  }

  /** Adds a photo, which is loaded later. @param {string} id */
  #photo(id) {
    const { button, image } = photoButton(t("Photo"));
    button.dataset.attachment = id;
    const arriving = download(this.#session, id).then((photo) => {
      if (photo && button.isConnected) image.src = URL.createObjectURL(photo);
    });
    arriving.catch(() => {
      this.#photos = ""; // its name stands in its place; all are asked for again when the queue is shown anew
    });
    return button;
  }

  edit() {
    this.#field.value = this.#message.text;
    this.#form.hidden = false;
    this.#field.focus();
  }

  close() {
    if (this.#form.hidden) return;
    this.#form.hidden = true;
    this.focus("edit");
  }

  /** The message with the field's text; null if it would be empty. */
  get change() {
    const text = this.#field.value.trim() ? [{ text: this.#field.value }] : [];
    const contents = [...this.#kept, ...text];
    return contents.length ? { contents, model: this.#message.model } : null;
  }

  /** @param {string} verb the button's */
  focus(verb) {
    /** @type {HTMLElement} */ (this.element.querySelector(`[data-queue=${verb}]`)).focus();
  }

  /** Its photos. */
  get #kept() {
    return this.#message.parts.filter(({ text }) => text === undefined);
  }

  get #form() {
    return /** @type {HTMLFormElement} */ (this.element.querySelector("form"));
  }

  get #field() {
    return /** @type {HTMLTextAreaElement} */ (this.element.querySelector("textarea"));
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.element.querySelector(`[data-part=${name}]`));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Escape") return this.close();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return undefined;
    if (matchMedia("(pointer: coarse) and (hover: none)").matches) return undefined; // a phone's Enter starts a line
    event.preventDefault();
    return this.#form.requestSubmit();
  }
}
