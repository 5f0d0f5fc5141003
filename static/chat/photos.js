/**
 * The draft's photos: selected, pasted or dropped; previewed at once, scaled down, uploaded.
 *
 * A question that is sent before they are uploaded takes those that are there then, and waits for them: what is removed
 * meanwhile does not go along, and what is added meanwhile stays for the next one. Each chat has a draft of its own.
 */
import { DraftPhoto } from "./draft_photo.js";
import { Lost, Refused } from "./errors.js";
import { download } from "./photo_store.js";
import { t } from "./words.js";

export const MOST = 4;
const FULL = t("A message takes up to {most} photos: the others were not added.", { most: MOST });

/** @typedef {import("./draft.js").Draft} Draft */

export class Photos {
  #previews;
  #session;
  #told;
  /** @type {DraftPhoto[]} */
  #held = [];
  /** Those of other chats that the server does not have yet, with their drafts. @type {Map<DraftPhoto, Draft>} */
  #left = new Map();
  #restoring = Promise.resolve();
  #asked = 0;

  /**
   * @param {HTMLElement} previews
   * @param {Requester} session
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
   * @param {Photo} photo @param {string} name
   */
  reuse({ attachment: id, url }, name) {
    if (this.count >= MOST) return this.#told.problem(FULL);
    this.#keep(new DraftPhoto(this.#session, name, { id, url }));
    return this.#tellStored();
  }

  /** Called before another chat is shown: this draft's photos are not of that one. @param {Draft} draft */
  leave(draft) {
    for (const photo of this.#held) if (!photo.id) this.#left.set(photo, draft);
    this.#held = [];
    this.#previews.replaceChildren();
  }

  /** Shows the photos of a chat's draft. @param {Draft} draft */
  restore(draft) {
    for (const [photo, { name }] of this.#left) {
      if (name !== draft.name) continue;
      this.#left.delete(photo);
      this.#keep(photo);
    }
    this.#told.changed();
    this.#restoring = this.#fetch(draft.read().photos);
  }

  /** @param {string[]} ids */
  async #fetch(ids) {
    this.#asked += 1;
    const asked = this.#asked;
    for (const id of ids) {
      const photo = await download(this.#session, id).catch(() => undefined); // it can be sent unseen
      if (asked !== this.#asked) return; // another draft is shown by now
      const url = photo ? URL.createObjectURL(photo) : "";
      if (photo !== null) this.#keep(new DraftPhoto(this.#session, t("Photo"), { id, url }));
    }
  }

  #tellStored() {
    this.#told.stored(this.#held.flatMap(({ id }) => id || []));
  }

  /**
   * Adds files that the browser can decode as draft photos. They are uploaded at once, so that sending is fast; a
   * camera's are kept in this page until they are sent (`unsent`).
   * @param {Iterable<File>} files @param {boolean} unsent
   */
  add(files, unsent) {
    for (const file of files) {
      if (this.count >= MOST) return this.#told.problem(FULL);
      const photo = new DraftPhoto(this.#session, file.name, { file });
      this.#keep(photo);
      if (unsent) photo.small.catch((error) => this.#refuse(photo, error));
      else this.#send(photo).catch(() => {}); // said already
    }
    return undefined;
  }

  /** Drops the draft photo of this file, if it is one. @param {File} file */
  remove(file) {
    const photo = this.#held.find((held) => held.file === file);
    if (photo) this.#drop(photo);
  }

  /**
   * Takes the photos for a message, once all are uploaded. An aborted one leaves them in the draft, and throws.
   * @param {AbortSignal} signal @returns {Promise<Photo[]>}
   */
  async take(signal) {
    await this.#restoring;
    const taken = this.#held.filter(({ isFree }) => isFree);
    for (const photo of taken) photo.taker = signal;
    try {
      await Promise.all(taken.map((photo) => this.#send(photo)));
      signal.throwIfAborted();
    } catch (error) {
      for (const photo of taken) if (photo.taker === signal) photo.taker = null;
      throw error;
    }
    const sent = taken.filter(({ isRemoved }) => !isRemoved);
    this.#held = this.#held.filter((photo) => !sent.includes(photo));
    for (const { row } of sent) row.remove();
    return sent.map(({ id, url }) => ({ attachment: id, url }));
  }

  /** @param {DraftPhoto} photo */
  #keep(photo) {
    this.#held.push(photo);
    this.#previews.append(photo.row);
    const remove = /** @type {HTMLButtonElement} */ (photo.row.querySelector(".remove"));
    remove.onclick = () => {
      this.#drop(photo);
      (this.#previews.querySelector("button") ?? document.getElementById("files"))?.focus();
    };
    this.#told.changed();
  }

  /** Uploads a photo, and notes it in its draft. @param {DraftPhoto} photo */
  async #send(photo) {
    try {
      const id = await photo.send();
      const draft = this.#left.get(photo);
      this.#left.delete(photo);
      if (this.#held.includes(photo)) this.#tellStored();
      else draft?.keepPhotos([...draft.read().photos, id]);
    } catch (error) {
      if (photo.isRemoved) return;
      this.#refuse(photo, /** @type {Error} */ (error));
      throw error;
    }
  }

  /** Says why a photo is not sent: it is dropped, or stays if it can be sent again.
   * @param {DraftPhoto} photo @param {Error} error */
  #refuse(photo, error) {
    const isPassing = error instanceof Lost || (error instanceof Refused && !error.isFinal);
    if (!isPassing) this.#forget(photo);
    this.#told.problem(error.message);
  }

  /** @param {DraftPhoto} photo */
  #drop(photo) {
    photo.remove();
    this.#forget(photo);
  }

  /** @param {DraftPhoto} photo */
  #forget(photo) {
    photo.row.remove();
    this.#left.delete(photo);
    this.#held = this.#held.filter((other) => other !== photo);
    this.#told.changed();
    this.#tellStored();
  }
}
