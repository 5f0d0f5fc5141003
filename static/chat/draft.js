/**
 * The draft: text and photos, kept over reloads until the server has stored the message, with the `request_id` of the
 * first attempt, so that sending it again after a reload joins that.
 */

/** @typedef {{text: string, requestId: string, photos: string[]}} Drafted `photos`: attachments, by id */

export class Draft {
  #storage;
  /** Where it is kept. */
  name;

  /** @param {Storage} storage @param {string} conversation its id, or "" for a new one */
  constructor(storage, conversation) {
    this.#storage = storage;
    this.name = `draft:${conversation || "new"}`;
  }

  /** @returns {Drafted} */
  read() {
    try {
      const { text, requestId, photos } = JSON.parse(this.#storage.getItem(this.name) ?? "{}");
      const ids = Array.isArray(photos) ? photos.map(String) : [];
      return { text: String(text ?? ""), requestId: String(requestId ?? ""), photos: ids };
    } catch {
      return { text: "", requestId: "", photos: [] };
    }
  }

  /** Stores the text: the same one keeps its request_id, another gets a new one. @param {string} text */
  type(text) {
    if (text !== this.read().text) this.keep(text);
  }

  /** @param {string} text @param {string} [requestId] */
  keep(text, requestId = "") {
    this.#write({ ...this.read(), text, requestId });
  }

  /** Stores the photos: others make it a new message. @param {string[]} photos */
  keepPhotos(photos) {
    const drafted = this.read();
    if (String(drafted.photos) !== String(photos)) this.#write({ text: drafted.text, requestId: "", photos });
  }

  /** Called when the server has stored this message: keeps text typed since then, drops its photos.
   * @param {string} key @param {Photo[]} sent */
  stored(key, sent) {
    const drafted = this.read();
    if (drafted.requestId === key) return this.clear();
    const photos = drafted.photos.filter((id) => !sent.some(({ attachment }) => attachment === id));
    return this.#write({ ...drafted, photos });
  }

  /** Called when the server has stored the message. */
  clear() {
    this.#write({ text: "", requestId: "", photos: [] });
  }

  /** @param {Drafted} drafted */
  #write(drafted) {
    try {
      if (drafted.text || drafted.photos.length) this.#storage.setItem(this.name, JSON.stringify(drafted));
      else this.#storage.removeItem(this.name);
    } catch {
      // If the storage is full or forbidden, only the draft is lost.
    }
  }
}
