/**
 * Renders the list of chats in groups with headings. Elements of unchanged rows are kept.
 */
import { groups } from "./chats.js";
import { t } from "./words.js";

export class ChatList {
  #place;
  #template;
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  /** @type {Map<string, HTMLElement>} */
  #sections = new Map();

  /** @param {HTMLElement} place @param {HTMLTemplateElement} template one row */
  constructor(place, template) {
    this.#place = place;
    this.#template = template;
  }

  /** @param {ReadonlyMap<string, ChatRow>} rows @param {string} current the chat that is shown */
  show(rows, current) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const shown = groups(rows, new Date(), document.documentElement.lang || "en");
    for (const [id, element] of this.#elements) if (!rows.has(id)) this.#drop(this.#elements, id, element);
    const names = new Set(shown.map(({ name }) => name));
    for (const [name, section] of this.#sections) if (!names.has(name)) this.#drop(this.#sections, name, section);
    for (const [at, group] of shown.entries()) {
      const section = this.#sections.get(group.name) ?? this.#section(group.name);
      put(this.#place, at, section);
      const list = /** @type {HTMLElement} */ (section.querySelector("ul"));
      for (const [place, row] of group.rows.entries()) put(list, place, this.#row(row, current));
    }
    if (focused && focused !== document.activeElement && this.#place.contains(focused)) focused.focus(); // it was moved
  }

  /** @param {string} id */
  find(id) {
    return this.#elements.get(id);
  }

  /** Focuses the next row, else the previous one. Returns whether there is one. @param {string} id */
  focusBeside(id) {
    const all = [...this.#place.querySelectorAll("li")];
    const at = all.findIndex((element) => element.dataset.conversation === id);
    const link = (all[at + 1] ?? all[at - 1])?.querySelector("a");
    link?.focus();
    return Boolean(link);
  }

  /** @param {Map<string, HTMLElement>} kept @param {string} key @param {HTMLElement} element */
  #drop(kept, key, element) {
    element.remove();
    kept.delete(key);
  }

  /** @param {string} name */
  #section(name) {
    const section = document.createElement("section");
    const heading = document.createElement("h2");
    heading.textContent = name;
    section.append(heading, document.createElement("ul"));
    this.#sections.set(name, section);
    return section;
  }

  /** @param {ChatRow} row @param {string} current */
  #row({ id, title, pinned, running }, current) {
    const element = this.#elements.get(id) ?? this.#make(id);
    const link = /** @type {HTMLAnchorElement} */ (element.querySelector("a"));
    const name = /** @type {HTMLElement} */ (element.querySelector("[data-part=title]"));
    if (name.textContent !== (title || t("New chat"))) name.textContent = title || t("New chat");
    element.toggleAttribute("data-pinned", pinned);
    /** @type {HTMLElement} */ (element.querySelector("[data-part=live]")).hidden = !running;
    if (id === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    return element;
  }

  /** @param {string} id */
  #make(id) {
    const copy = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (copy.firstElementChild);
    element.dataset.conversation = id;
    /** @type {HTMLAnchorElement} */ (element.querySelector("a")).href = `/c/${id}`;
    this.#elements.set(id, element);
    return element;
  }
}

/** @param {HTMLElement} parent @param {number} at @param {HTMLElement} child */
function put(parent, at, child) {
  if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
}
