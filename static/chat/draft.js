/**
 * What is typed, and the photos that go with it, until the server has stored the message: it survives a reload. With it
 * goes the `request_id` that it was sent under, so that sending it once more after a reload joins the first try.
 */

/** @typedef {{text: string, requestId: string, photos: string[]}} Drafted `photos`: attachments, by id */

export class Draft {
  #storage;
  #name;

  /** @param {Storage} storage @param {string} conversation its id, or "" for a new one */
  constructor(storage, conversation) {
    this.#storage = storage;
    this.#name = `draft:${conversation || "new"}`;
  }

  /** @returns {Drafted} */
  read() {
    try {
      const { text, requestId, photos } = JSON.parse(this.#storage.getItem(this.#name) ?? "{}");
      const ids = Array.isArray(photos) ? photos.map(String) : [];
      return { text: String(text ?? ""), requestId: String(requestId ?? ""), photos: ids };
    } catch {
      return { text: "", requestId: "", photos: [] };
    }
  }

  /** What the box holds now: the same text keeps its request_id, any other is a new one. @param {string} text */
  type(text) {
    if (text !== this.read().text) this.keep(text);
  }

  /** @param {string} text @param {string} [requestId] */
  keep(text, requestId = "") {
    this.#write({ ...this.read(), text, requestId });
  }

  /** The photos that go with it: others make it a new message. @param {string[]} photos */
  keepPhotos(photos) {
    const drafted = this.read();
    if (String(drafted.photos) !== String(photos)) this.#write({ text: drafted.text, requestId: "", photos });
  }

  /** The server has the message that was sent under this key: what was typed since then stays, its photos do not.
   * @param {string} key @param {Photo[]} sent */
  stored(key, sent) {
    const drafted = this.read();
    if (drafted.requestId === key) return this.clear();
    const photos = drafted.photos.filter((id) => !sent.some(({ attachment }) => attachment === id));
    return this.#write({ ...drafted, photos });
  }

  /** The server has the message. */
  clear() {
    this.#write({ text: "", requestId: "", photos: [] });
  }

  /** @param {Drafted} drafted */
  #write(drafted) {
    try {
      if (drafted.text || drafted.photos.length) this.#storage.setItem(this.#name, JSON.stringify(drafted));
      else this.#storage.removeItem(this.#name);
    } catch {
      // A full or forbidden storage costs the draft, not the chat.
    }
  }
}
