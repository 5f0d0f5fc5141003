/**
 * What is typed and not yet stored by the server: it survives a reload. With it goes the `request_id` that it was
 * sent under, so that sending it once more after a reload joins the first try.
 */

export class Draft {
  #storage;
  #name;

  /** @param {Storage} storage @param {string} conversation its id, or "" for a new one */
  constructor(storage, conversation) {
    this.#storage = storage;
    this.#name = `draft:${conversation || "new"}`;
  }

  /** @returns {{text: string, requestId: string}} */
  read() {
    try {
      const { text, requestId } = JSON.parse(this.#storage.getItem(this.#name) ?? "{}");
      return { text: String(text ?? ""), requestId: String(requestId ?? "") };
    } catch {
      return { text: "", requestId: "" };
    }
  }

  /** What the box holds now: the same text keeps its request_id, any other is a new one. @param {string} text */
  type(text) {
    if (text !== this.read().text) this.keep(text);
  }

  /** @param {string} text @param {string} [requestId] */
  keep(text, requestId = "") {
    try {
      if (text) this.#storage.setItem(this.#name, JSON.stringify({ text, requestId }));
      else this.#storage.removeItem(this.#name);
    } catch {
      // A full or forbidden storage costs the draft, not the chat.
    }
  }
}
