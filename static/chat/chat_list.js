/**
 * Renders the list of chats in groups with headings: only rows that are new, have moved or say something else are
 * touched. What few rows show (their tools, a pin, the mark of an answer) is made when a row first needs it.
 */
import { groups } from "./chats.js";
import { t } from "./words.js";

export class ChatList {
  #place;
  /** One row, without its rare parts. @type {HTMLElement} */
  #blank;
  /** Those parts by name. @type {Map<string, Element>} */
  #parts = new Map();
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  /** What each of these says. @type {WeakMap<HTMLElement, string>} */
  #said = new WeakMap();
  /** @type {Map<string, HTMLElement>} */
  #sections = new Map();

  /** @param {HTMLElement} place @param {HTMLTemplateElement} template one row, whole */
  constructor(place, template) {
    this.#place = place;
    this.#blank = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    for (const part of this.#blank.querySelectorAll("[data-rare]")) {
      this.#parts.set(part.getAttribute("data-rare") ?? "", part);
      part.remove();
    }
    for (const event of ["pointerover", "focusin"]) place.addEventListener(event, ({ target }) => this.#equip(target));
  }

  /** @param {ReadonlyMap<string, ChatRow>} rows @param {string} current the chat that is shown */
  show(rows, current) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const shown = groups(rows, new Date());
    for (const [id, element] of this.#elements) if (!rows.has(id)) this.#drop(this.#elements, id, element);
    const names = new Set(shown.map(({ name }) => name));
    for (const [name, section] of this.#sections) if (!names.has(name)) this.#drop(this.#sections, name, section);
    put(
      this.#place,
      shown.map(({ name, rows: found }) => {
        const section = this.#sections.get(name) ?? this.#section(name);
        put(
          /** @type {HTMLElement} */ (section.lastElementChild),
          found.map((row) => this.#row(row, row.id === current)),
        );
        return section;
      }),
    );
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

  /** @param {ChatRow} row @param {boolean} isCurrent */
  #row({ id, title, pinned, running }, isCurrent) {
    const element = this.#elements.get(id) ?? this.#make(id);
    const said = `${pinned} ${running} ${isCurrent} ${title}`;
    if (this.#said.get(element) === said) return element;
    this.#said.set(element, said);
    const link = /** @type {HTMLAnchorElement} */ (element.firstElementChild);
    /** @type {HTMLElement} */ (link.querySelector("[data-part=title]")).textContent = title || t("New chat");
    element.toggleAttribute("data-pinned", pinned);
    element.toggleAttribute("data-running", Boolean(running));
    if (pinned) this.#need("pin", link);
    if (running) this.#need("live", link);
    if (isCurrent) this.#equip(link);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    return element;
  }

  /** Gives a row its tools. @param {EventTarget | null} target in it */
  #equip(target) {
    const element = /** @type {Element} */ (target).closest("li");
    if (element) this.#need("tools", element);
  }

  /** @param {string} name @param {Element} place */
  #need(name, place) {
    if (!place.querySelector(`[data-rare=${name}]`))
      place.append(/** @type {Node} */ (this.#parts.get(name)?.cloneNode(true)));
  }

  /** @param {string} id */
  #make(id) {
    const element = /** @type {HTMLElement} */ (this.#blank.cloneNode(true));
    element.dataset.conversation = id;
    /** @type {HTMLAnchorElement} */ (element.firstElementChild).href = `/c/${id}`;
    this.#elements.set(id, element);
    return element;
  }
}

/** Makes these the first children, without touching those that stand right. @param {HTMLElement} parent @param {Element[]} children */
function put(parent, children) {
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}
