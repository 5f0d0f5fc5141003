/**
 * One photo of the draft: its preview, and its way to the server.
 */
import { photoButton } from "./photo_button.js";
import { prepared } from "./photo_file.js";
import { discard, upload } from "./photo_store.js";
import { t } from "./words.js";

export class DraftPhoto {
  /** Where it is shown from. */
  url;
  /** Its name on the server, once it is there. */
  id;
  /** null for one that was sent before. @type {File | null} */
  file;
  row;
  /** Who sends it: a photo goes with one message. @type {AbortSignal | null} */
  taker = null;
  /** Whether it was taken out of the draft. */
  isRemoved = false;
  /** The photo for sending. @type {Promise<Blob>} */
  small;
  #session;
  /** @type {Promise<string> | null} */
  #sent = null;

  /**
   * @param {Requester} session @param {string} name
   * @param {{file?: File | null, url?: string, id?: string}} photo a file, or a photo that the server has
   */
  constructor(session, name, { file = null, url = "", id = "" }) {
    this.#session = session;
    this.file = file;
    this.url = url;
    this.id = id;
    this.row = rowOf(name, url);
    this.small = file ? this.#prepare(file) : Promise.reject(new Error());
    this.small.catch(() => {}); // whoever sends it hears of it
  }

  /** Whether a message may take it. */
  get isFree() {
    return !this.taker || this.taker.aborted;
  }

  /** Uploads it, at the first call and after a failure. @returns {Promise<string>} its id */
  send() {
    this.#sent ??= this.#upload().finally(() => {
      this.#sent = null;
    });
    return this.#sent;
  }

  /** Takes it out of the draft; the server deletes it, unless it was sent before. */
  remove() {
    this.isRemoved = true;
    if (!this.file) return; // it is still on the page
    if (this.id) void discard(this.#session, this.id);
    if (this.url) URL.revokeObjectURL(this.url);
  }

  /** @param {File} file */
  async #prepare(file) {
    this.row.dataset.sending = "";
    const made = await prepared(file);
    this.url = URL.createObjectURL(made);
    /** @type {HTMLImageElement} */ (this.row.querySelector("img")).src = this.url;
    this.row.removeAttribute("data-sending");
    return made;
  }

  async #upload() {
    if (this.id) return this.id;
    try {
      const made = await this.small;
      this.row.dataset.sending = "";
      this.id = await upload(this.#session, made);
      if (this.isRemoved) void discard(this.#session, this.id);
      return this.id;
    } finally {
      this.row.removeAttribute("data-sending");
    }
  }
}

/** @param {string} name @param {string} url */
function rowOf(name, url) {
  const row = document.createElement("li");
  const { button, image } = photoButton(name);
  if (url) image.src = url;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "remove";
  remove.setAttribute("aria-label", t("Remove {name}", { name }));
  remove.textContent = "×";
  row.append(button, remove);
  return row;
}
