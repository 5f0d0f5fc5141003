/**
 * Updates an element to a list of shapes: unchanged nodes are kept, grown text is appended.
 *
 * Text becomes text nodes. No HTML is ever parsed, and the only attribute that comes from the text is a link's checked
 * address (links.js).
 */
import { Inline } from "./inline.js";

/** @typedef {import("./elements.js").Shape} Shape */
/** @typedef {import("./delimiters.js").Node} Node */
/** @typedef {{tag: string, attributes?: Record<string, string>, kids: (string | Shown)[], key: string,
 *            content: string | null, size: number}} Shown `content`: of what is whole, and may have been painted anew */

export class Renderer {
  #document;
  #means;
  #whole;

  /**
   * @param {Document} document
   * @param {{definitions: Map<string, string>, budget: {left: number}}} means
   * @param {(element: HTMLElement, shape: Shape) => void} whole called with each code and formula that is whole
   */
  constructor(document, means, whole) {
    this.#document = document;
    this.#means = means;
    this.#whole = whole;
  }

  /**
   * Makes the children of `parent` from the one at `from` on what the shapes say.
   * @param {HTMLElement} parent
   * @param {(string | Shown)[]} shown what stands there now
   * @param {(string | Shape | Node)[]} wanted
   * @param {number} [from]
   * @returns {(string | Shown)[]} what stands there then
   */
  update(parent, shown, wanted, from = 0) {
    const next = wanted.map((shape, at) => this.#place(parent, shown[at], shape, from + at));
    while (parent.childNodes.length > from + wanted.length)
      parent.removeChild(/** @type {ChildNode} */ (parent.lastChild));
    return next;
  }

  /** @param {HTMLElement} parent @param {string | Shown | undefined} shown @param {string | Shape | Node} wanted
   * @param {number} at @returns {string | Shown} */
  #place(parent, shown, wanted, at) {
    const child = parent.childNodes[at];
    if (typeof wanted === "string") {
      if (typeof shown === "string") write(/** @type {Text} */ (child), shown, wanted);
      else put(parent, this.#document.createTextNode(wanted), child);
      return wanted;
    }
    const isSame = typeof shown === "object" && shown.tag === wanted.tag && same(shown.attributes, wanted.attributes);
    const content = contentOf(/** @type {Shape} */ (wanted));
    if (isSame && shown.content !== null && shown.content === content) return shown;
    const isKept = isSame && shown.content === null;
    const element = isKept ? /** @type {HTMLElement} */ (child) : this.#make(wanted);
    if (!isKept) put(parent, element, child);
    return this.#fill(element, isKept ? shown : null, /** @type {Shape} */ (wanted), content);
  }

  /** @param {HTMLElement} element @param {Shown | null} shown @param {Shape} shape @param {string | null} content
   * @returns {Shown} */
  #fill(element, shown, shape, content) {
    const { tag, attributes, text } = shape;
    const names = text?.includes("[") ? this.#means.definitions.size : 0;
    const key = text === undefined ? "" : `${shape.open ? "+" : "."}${names} ${text}`;
    if (shown && key && shown.key === key) return shown;
    const wanted =
      text === undefined ? (shape.kids ?? []) : new Inline(text, { ...this.#means, open: shape.open }).parse();
    const kids = this.update(element, shown?.kids ?? [], wanted);
    if (content !== null) this.#whole(element, shape);
    return { tag, attributes, kids, key, content, size: kids.reduce((sum, kid) => sum + sizeOf(kid), 1) };
  }

  /** @param {Shape | Node} shape */
  #make(shape) {
    const { tag, attributes } = /** @type {Shape} */ (shape);
    const element = this.#document.createElement(tag === "math" ? "span" : tag);
    for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
    return element;
  }
}

/** @param {Text} node @param {string} shown @param {string} wanted */
function write(node, shown, wanted) {
  if (wanted === shown) return;
  if (wanted.startsWith(shown)) node.appendData(wanted.slice(shown.length));
  else node.data = wanted;
}

/** @param {HTMLElement} parent @param {HTMLElement | Text} made @param {ChildNode | undefined} stands */
function put(parent, made, stands) {
  if (stands) parent.replaceChild(made, stands);
  else parent.appendChild(made);
}

/** @param {Record<string, string>} [one] @param {Record<string, string>} [other] */
function same(one = {}, other = {}) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** The text of a code or formula that is whole; null for all else. @param {Shape} shape */
function contentOf({ tag, whole, kids = [] }) {
  return whole || tag === "math" ? kids.map((kid) => (typeof kid === "string" ? kid : kid.kids?.[0])).join("") : null;
}

/** How many elements stand there. @param {string | Shown} shown */
export const sizeOf = (shown) => (typeof shown === "string" ? 0 : shown.size);
