/**
 * The draft's photos: selected, pasted or dropped; previewed at once, scaled down, uploaded.
 * A question that is sent before they are uploaded waits for them.
 */
import { load } from "./later.js";
import { photoButton } from "./photo_button.js";
import { discard, download, upload } from "./photo_store.js";
import { t } from "./words.js";

export const MOST = 4;
const FULL = t("A message takes up to {most} photos: the others were not added.", { most: MOST });

/**
 * A draft photo. `send` uploads it, at the first call only, and gives its id, which is `id` from then on.
 * @typedef {{file: File | null, url: string, row: HTMLElement, id: string, send: () => Promise<string>}} Held
 */

export class Photos {
  #previews;
  #session;
  #told;
  /** @type {Held[]} */
  #held = [];
  #restoring = Promise.resolve();
  #asked = 0;

  /**
   * @param {HTMLElement} previews
   * @param {{request: (path: string, options?: RequestInit) => Promise<Response>}} session
   * @param {{problem: (sentence: string) => void, changed: () => void,
   *          stored: (ids: string[]) => void}} told `stored`: the server has these of the draft photos
   */
  constructor(previews, session, told) {
    this.#previews = previews;
    this.#session = session;
    this.#told = told;
  }

  get count() {
    return this.#held.length;
  }

  /** The files of the draft photos. */
  get files() {
    return this.#held.flatMap(({ file }) => file ?? []);
  }

  /** The file behind a preview. @param {string} url */
  fileOf(url) {
    return this.#held.find((held) => held.url === url)?.file ?? null;
  }

  /**
   * Adds a photo that was sent before to the draft.
   * @param {Photo & {url: string}} photo @param {string} name
   */
  reuse({ attachment, url }, name) {
    if (this.count >= MOST) return this.#told.problem(FULL);
    this.#again(attachment, url, name);
    return this.#tellStored();
  }

  /** Replaces the photos with those of another draft. @param {string[]} ids */
  restore(ids) {
    for (const photo of this.#held) if (photo.id) photo.row.remove();
    this.#held = this.#held.filter(({ id }) => !id);
    this.#told.changed();
    this.#restoring = this.#fetch(ids).catch(() => {}); // they are in the draft still, and come with the next page
  }

  /** @param {string[]} ids */
  async #fetch(ids) {
    this.#asked += 1;
    const asked = this.#asked;
    for (const id of ids) {
      const photo = await download(this.#session, id);
      if (asked !== this.#asked) return; // another draft is shown by now
      if (photo) this.#again(id, URL.createObjectURL(photo), t("Photo"));
    }
  }

  /** @param {string} id @param {string} url @param {string} name */
  #again(id, url, name) {
    this.#keep({ file: null, url, row: this.#preview(url, name), id, send: async () => id });
  }

  #tellStored() {
    this.#told.stored(this.#held.flatMap(({ id }) => id || []));
  }

  /**
   * Adds files that the browser can decode as draft photos. They are uploaded at once, so that sending is fast; a
   * camera's are kept in this page until they are sent (`unsent`).
   * @param {Iterable<File>} files @param {{unsent?: boolean}} [how]
   */
  async add(files, { unsent = false } = {}) {
    for (const file of files) {
      if (this.count >= MOST) return this.#told.problem(FULL);
      this.#hold(file, unsent);
    }
    return undefined;
  }

  /** Drops the draft photo of this file, if it is one. @param {File} file */
  remove(file) {
    const photo = this.#held.find((held) => held.file === file);
    if (photo) this.#drop(photo);
  }

  /** Takes the photos for a message, once all are uploaded. @returns {Promise<Photo[]>} */
  async take() {
    await this.#restoring;
    const held = this.#held.map(async (photo) => ({ attachment: await photo.send(), url: photo.url }));
    const photos = await Promise.all(held);
    this.#held = [];
    this.#previews.replaceChildren();
    return photos;
  }

  /** @param {File} file @param {boolean} unsent */
  #hold(file, unsent) {
    const row = this.#preview("", file.name);
    row.dataset.sending = "";
    /** @type {Promise<string> | null} */
    let sent = null;
    /** @type {Held} */
    const photo = { file, url: "", row, id: "", send: () => (sent ??= this.#send(photo, small)) };
    const small = load("photo-file").then(async ({ prepared }) => this.#ready(photo, await prepared(file)));
    this.#keep(photo);
    if (unsent) small.catch((error) => this.#refuse(photo, error));
    else photo.send().catch(() => {}); // said, and the photo dropped: see #send
  }

  /** @param {Held} photo @param {Blob} made */
  #ready(photo, made) {
    photo.url = URL.createObjectURL(made);
    /** @type {HTMLImageElement} */ (photo.row.querySelector("img")).src = photo.url;
    photo.row.removeAttribute("data-sending");
    return made;
  }

  /** @param {Held} photo */
  #keep(photo) {
    this.#held.push(photo);
    photo.row.querySelector(".remove")?.addEventListener("click", () => {
      this.#drop(photo);
      this.#previews.querySelector("button")?.focus();
    });
    this.#told.changed();
  }

  /** Uploads a draft photo once it is converted; a refused one is dropped with the reason.
   * @param {Held} photo @param {Promise<Blob>} small */
  async #send(photo, small) {
    try {
      const made = await small;
      photo.row.dataset.sending = "";
      photo.id = await upload(this.#session, made);
      if (this.#held.includes(photo)) this.#tellStored();
      else void discard(this.#session, photo.id);
      return photo.id;
    } catch (error) {
      this.#refuse(photo, /** @type {Error} */ (error));
      throw error;
    } finally {
      photo.row.removeAttribute("data-sending");
    }
  }

  /** @param {Held} photo @param {Error} error */
  #refuse(photo, error) {
    this.#drop(photo);
    this.#told.problem(error.message);
  }

  /** @param {string} url @param {string} name */
  #preview(url, name) {
    const row = document.createElement("li");
    const { button, image } = photoButton(name);
    if (url) image.src = url;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.setAttribute("aria-label", t("Remove {name}", { name }));
    remove.textContent = "×";
    row.append(button, remove);
    this.#previews.append(row);
    return row;
  }

  /** @param {Held} photo */
  #drop(photo) {
    this.#held = this.#held.filter((other) => other !== photo);
    photo.row.remove();
    if (photo.file && photo.id) void discard(this.#session, photo.id);
    if (photo.file && photo.url) URL.revokeObjectURL(photo.url); // a photo that was sent before is still on the page
    this.#told.changed();
    this.#tellStored();
  }
}
