/**
 * The search for chats: recent ones at once, then the server's results in titles and texts; also the list of shortcuts
 * and the export. Loaded on first use.
 */
import { refusal } from "./errors.js";
import { t } from "./words.js";

/** The search starts after this pause in typing, in ms. */
const QUIET = 150;
const SHOWN = 30;

export class Switcher {
  #dialog = /** @type {HTMLDialogElement} */ (document.getElementById("switcher"));
  #input = /** @type {HTMLInputElement} */ (this.#dialog.querySelector("input"));
  #list = /** @type {HTMLElement} */ (this.#dialog.querySelector("[role=listbox]"));
  #said = /** @type {HTMLElement} */ (this.#dialog.querySelector("[role=status]"));
  #session;
  #clock;
  #go;
  /** @type {ChatRow[]} */
  #known = [];
  #at = 0;
  #asked = 0;
  #cancel = () => {};

  /** @param {{session: import("./session.js").Session, clock: Clock, go: (id: string) => Promise<void>}} means */
  constructor({ session, clock, go }) {
    this.#session = session;
    this.#clock = clock;
    this.#go = go;
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("click", ({ target }) => this.#choose(/** @type {Element} */ (target).closest("li")));
    this.#dialog.addEventListener("close", () => this.#cancel());
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
  }

  /** Shows what has been typed since the dialog was opened. @param {ChatRow[]} known the chats that the page knows */
  show(known) {
    this.#known = known.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
    this.#typed();
  }

  showShortcuts() {
    /** @type {HTMLDialogElement} */ (document.getElementById("shortcuts")).showModal();
  }

  #typed() {
    this.#cancel();
    this.#asked += 1; // what was asked before is not shown any more
    const query = this.#input.value.trim();
    const wanted = query.toLocaleLowerCase();
    this.#show(this.#known.filter(({ title }) => title.toLocaleLowerCase().includes(wanted)));
    this.#said.textContent = query ? t("Searching…") : "";
    if (query) this.#cancel = this.#clock.after(QUIET, () => void this.#ask(query, this.#asked));
  }

  /** @param {string} query @param {number} asked */
  async #ask(query, asked) {
    try {
      const path = `/v2/conversations?limit=${SHOWN}&q=${encodeURIComponent(query)}`;
      const { conversations, partial } = await this.#session.json("GET", path);
      if (asked !== this.#asked) return;
      this.#show(conversations);
      const none = conversations.length ? "" : t("No chat has these words.");
      this.#said.textContent = partial ? t("Searching older chats…") : none;
      if (partial) await this.#ask(query, asked);
    } catch (error) {
      if (asked === this.#asked) this.#said.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {ChatRow[]} rows */
  #show(rows) {
    this.#list.replaceChildren(...rows.slice(0, SHOWN).map(option));
    this.#mark(0);
  }

  /** @param {number} at the option that Enter takes */
  #mark(at) {
    const options = [...this.#list.children];
    this.#at = Math.min(Math.max(at, 0), Math.max(options.length - 1, 0));
    for (const [place, item] of options.entries()) item.setAttribute("aria-selected", String(place === this.#at));
    if (options.length) this.#input.setAttribute("aria-activedescendant", options[this.#at].id);
    else this.#input.removeAttribute("aria-activedescendant");
    options[this.#at]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step) this.#mark(this.#at + step);
    else if (event.key === "Enter" && !event.isComposing) this.#choose(this.#list.children[this.#at]);
    else return;
    event.preventDefault();
  }

  /** @param {Element | null} [item] */
  #choose(item) {
    const id = /** @type {HTMLElement | undefined} */ (item)?.dataset.conversation;
    if (!id) return;
    this.#dialog.close();
    void this.#go(id);
  }
}

/** @param {ChatRow} row @param {number} at */
function option({ id, title, excerpt }, at) {
  const item = document.createElement("li");
  item.id = `found-${at}`;
  item.dataset.conversation = id;
  item.setAttribute("role", "option");
  item.append(piece("span", title || t("New chat")));
  if (excerpt) item.append(piece("small", excerpt));
  return item;
}

/** @param {string} tag @param {string} text */
function piece(tag, text) {
  const element = document.createElement(tag);
  element.dir = "auto";
  element.textContent = text;
  return element;
}

/**
 * Downloads a chat as a file.
 * @param {import("./session.js").Session} session @param {string} conversation @param {string} format md, json or zip
 */
export async function save(session, conversation, format) {
  const response = await session.request(`/v2/conversations/${conversation}/export?format=${format}`);
  if (!response.ok) throw await refusal(response);
  const named = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition") ?? "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = named ? decodeURIComponent(named[1]) : `chat.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it meanwhile
}
