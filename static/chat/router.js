/**
 * URLs and chats: a link to a chat shows it without loading the page; back and forward show the earlier chat at its
 * scroll position.
 */
import { Refused } from "./errors.js";

const CHAT = /^\/c\/([0-9a-f-]{36})$/;
/** @typedef {{id: string, title: string, system: string, messages: Stored[], queued: number}} Conversation */
/** @type {Conversation} */
const NEW = { id: "", title: "", system: "", messages: [], queued: 0 };

export class Router {
  #session;
  #scroll;
  #told;
  #path = location.pathname;
  /** @type {Map<string, import("./scroll.js").Place | null>} */
  #places = new Map();
  #asked = 0;

  /**
   * @param {{json: (method: string, path: string) => Promise<any>}} session
   * @param {import("./scroll.js").Scroll} scroll
   * @param {{opened: (conversation: Conversation) => void, problem: (sentence: string) => void}} told
   */
  constructor(session, scroll, told) {
    this.#session = session;
    this.#scroll = scroll;
    this.#told = told;
    document.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("popstate", () => void this.#show(location.pathname, true));
  }

  /** Shows the chat of this path; "/" is a new one. @param {string} path */
  async go(path) {
    if (path === this.#path) return this.#scroll.toEnd();
    await this.#show(path, false);
  }

  /** Called when the shown chat has its own path. @param {string} path */
  replace(path) {
    history.replaceState(null, "", path);
    this.#path = path;
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest("a");
    const isOther = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || isOther || link.origin !== location.origin || link.hash) return;
    if (link.pathname !== "/" && !CHAT.test(link.pathname)) return;
    event.preventDefault();
    void this.go(link.pathname);
  }

  /** @param {string} path @param {boolean} isBack by the browser's history */
  async #show(path, isBack) {
    this.#asked += 1;
    const asked = this.#asked;
    const id = CHAT.exec(path)?.[1];
    try {
      const found = id ? await this.#session.json("GET", `/v2/conversations/${id}`) : NEW;
      if (asked !== this.#asked) return; // another one was chosen meanwhile
      this.#places.set(this.#path, this.#scroll.place);
      this.#path = path;
      if (!isBack) history.pushState(null, "", path);
      this.#told.opened(found);
      this.#scroll.restore((isBack && this.#places.get(path)) || null);
    } catch (error) {
      if (isBack || error instanceof Refused)
        location.assign(path); // the server's own page says why
      else this.#told.problem(/** @type {Error} */ (error).message);
    }
  }
}
