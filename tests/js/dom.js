/**
 * As much of a document as the renderer may touch. What it does not have, such as `innerHTML`, fails the test that
 * tries it; every element and attribute that was ever made stays on record.
 */

const MAY_BE_MADE = new Set(
  "p h2 h3 h4 h5 h6 code em strong s a blockquote br hr ul ol li input table thead tbody tr th td pre figure figcaption button div bdi sup span wbr".split(
    " ",
  ),
);

export class FakeText {
  nodeType = 3;

  /** @param {string} data */
  constructor(data) {
    this.data = data;
  }

  /** @param {string} more */
  appendData(more) {
    this.data += more;
  }

  get textContent() {
    return this.data;
  }
}

export class FakeElement {
  nodeType = 1;
  /** @type {(FakeElement | FakeText)[]} */
  childNodes = [];
  /** @type {FakeElement | null} */
  parentElement = null;
  /** @type {Record<string, string>} */
  attributes = {};
  /** @type {Record<string, string>} */
  dataset = {};
  className = "";

  /** @param {FakeDocument} ownerDocument @param {string} tag */
  constructor(ownerDocument, tag) {
    this.ownerDocument = ownerDocument;
    this.tagName = tag.toUpperCase();
  }

  get children() {
    return this.childNodes.filter((child) => child instanceof FakeElement);
  }

  get lastChild() {
    return this.childNodes[this.childNodes.length - 1] ?? null;
  }

  /** @type {string} */
  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }

  set innerHTML(/** @type {string} */ html) {
    throw new Error(`innerHTML is never used, and it was set to ${html}`);
  }

  /** @template {FakeElement | FakeText} T @param {T} child @returns {T} */
  appendChild(child) {
    if (child instanceof FakeElement) child.parentElement = this;
    this.childNodes.push(child);
    return child;
  }

  /** @param {FakeElement | FakeText} made @param {FakeElement | FakeText} child */
  replaceChild(made, child) {
    if (made instanceof FakeElement) made.parentElement = this;
    this.childNodes[this.childNodes.indexOf(child)] = made;
  }

  /** @param {FakeElement | FakeText} child */
  removeChild(child) {
    this.childNodes.splice(this.childNodes.lastIndexOf(child), 1);
  }

  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  /** All elements below. @returns {FakeElement[]} */
  get all() {
    return this.children.flatMap((child) => [child, ...child.all]);
  }

  /** @returns {string} */
  get outline() {
    const inside = this.childNodes.map((child) => (child instanceof FakeText ? child.data : child.outline)).join("");
    return `<${this.tagName.toLowerCase()}>${inside}</>`;
  }
}

export class FakeDocument {
  /** @param {string} tag */
  createElement(tag) {
    if (tag !== "root" && !MAY_BE_MADE.has(tag)) throw new Error(`<${tag}> was made.`);
    return new FakeElement(this, tag);
  }

  /** @param {string} data */
  createTextNode(data) {
    return new FakeText(data);
  }
}

/** An empty place to render into. @returns {HTMLElement & FakeElement} */
export const place = () => /** @type {any} */ (new FakeDocument().createElement("root"));
