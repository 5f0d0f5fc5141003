/**
 * Markdown as it arrives: append-only, and unable to make anything but the elements of the table below.
 *
 * Text becomes text nodes. No HTML is ever parsed, no image is ever loaded, and the only attribute that comes from
 * the text is a link's checked address (links.js).
 */
import * as smd from "streaming-markdown";
import { Formulas } from "./formulas.js";
import { hostOf, safeUrl, saysHost } from "./links.js";

/** @type {Record<number, string>} */
const TAGS = {
  [smd.PARAGRAPH]: "p",
  [smd.HEADING_1]: "h3",
  [smd.HEADING_2]: "h4",
  [smd.HEADING_3]: "h5",
  [smd.HEADING_4]: "h6",
  [smd.HEADING_5]: "h6",
  [smd.HEADING_6]: "h6",
  [smd.CODE_BLOCK]: "code",
  [smd.CODE_FENCE]: "code",
  [smd.CODE_INLINE]: "code",
  [smd.ITALIC_AST]: "em",
  [smd.ITALIC_UND]: "em",
  [smd.STRONG_AST]: "strong",
  [smd.STRONG_UND]: "strong",
  [smd.STRIKE]: "s",
  [smd.LINK]: "a",
  [smd.RAW_URL]: "a",
  [smd.IMAGE]: "a",
  [smd.BLOCKQUOTE]: "blockquote",
  [smd.LINE_BREAK]: "br",
  [smd.RULE]: "hr",
  [smd.LIST_UNORDERED]: "ul",
  [smd.LIST_ORDERED]: "ol",
  [smd.LIST_ITEM]: "li",
  [smd.CHECKBOX]: "input",
  [smd.TABLE]: "table",
  [smd.TABLE_ROW]: "tr",
  [smd.TABLE_CELL]: "td",
  [smd.EQUATION_BLOCK]: "code",
  [smd.EQUATION_INLINE]: "code",
};

/** Each of these finds out by itself whether it runs from right to left. */
/** @type {Set<number>} */
const DIRECTED = new Set([smd.PARAGRAPH, smd.LIST_ITEM, smd.TABLE_CELL]);

export class Markdown {
  #document;
  #blockEnded;
  #parser;
  #formulas = new Formulas();
  /** @type {{type: number, element: HTMLElement, url: URL | null}[]} */
  #open;

  /**
   * @param {HTMLElement} root where the text goes
   * @param {(code: HTMLElement, language: string) => void} [blockEnded] called with each block of code once it is whole
   */
  constructor(root, blockEnded = () => {}) {
    this.#document = root.ownerDocument;
    this.#blockEnded = blockEnded;
    this.#open = [{ type: smd.DOCUMENT, element: root, url: null }];
    this.#parser = smd.parser({
      data: null,
      add_token: (_, type) => this.#begin(type),
      end_token: () => this.#end(),
      add_text: (_, text) => this.#text(text),
      set_attr: (_, attribute, value) => this.#attribute(attribute, value),
    });
  }

  /** More of the text. @param {string} text */
  write(text) {
    smd.parser_write(this.#parser, this.#formulas.write(text));
  }

  /** The text is whole: what was still open is closed. */
  finish() {
    smd.parser_write(this.#parser, this.#formulas.finish());
    smd.parser_end(this.#parser);
    while (this.#open.length > 1) this.#end();
  }

  get #top() {
    return this.#open[this.#open.length - 1];
  }

  /** @param {number} type */
  #begin(type) {
    const isHead = type === smd.TABLE_CELL && this.#top.element.parentElement?.tagName === "THEAD";
    const element = this.#make(isHead ? "th" : (TAGS[type] ?? "span"));
    const parent = this.#parentFor(type);
    if (type === smd.CHECKBOX) {
      element.setAttribute("type", "checkbox");
      element.setAttribute("disabled", "");
    }
    if (type === smd.EQUATION_BLOCK || type === smd.EQUATION_INLINE) element.className = "math";
    if (DIRECTED.has(type)) element.setAttribute("dir", "auto");
    parent.appendChild(element);
    this.#open.push({ type, element, url: null });
  }

  /** @param {number} type */
  #parentFor(type) {
    const parent = this.#top.element;
    if (type === smd.CODE_BLOCK || type === smd.CODE_FENCE) {
      return parent.appendChild(this.#make("figure")).appendChild(this.#make("pre"));
    }
    if (type === smd.TABLE) {
      const frame = parent.appendChild(this.#make("div"));
      frame.className = "table";
      frame.setAttribute("tabindex", "0");
      return frame;
    }
    if (type === smd.TABLE_ROW) {
      const rows = parent.children.length;
      return rows > 1 ? parent.children[1] : parent.appendChild(this.#make(rows ? "tbody" : "thead"));
    }
    return parent;
  }

  #end() {
    if (this.#open.length < 2) return;
    const { type, element, url } = /** @type {{type: number, element: HTMLElement, url: URL | null}} */ (
      this.#open.pop()
    );
    if (type === smd.CODE_FENCE || type === smd.CODE_BLOCK) this.#blockEnded(element, element.dataset.language ?? "");
    if (!url) return;
    if (type === smd.IMAGE && !element.textContent) element.appendChild(this.#document.createTextNode("Image"));
    if (saysHost(element.textContent ?? "", url)) return;
    const host = element.appendChild(this.#make("bdi"));
    host.className = "host";
    host.appendChild(this.#document.createTextNode(hostOf(url)));
  }

  /** @param {string} text */
  #text(text) {
    const last = this.#top.element.lastChild;
    if (last?.nodeType === 3) /** @type {Text} */ (last).appendData(text);
    else this.#top.element.appendChild(this.#document.createTextNode(text));
  }

  /** @param {number} attribute @param {string} value */
  #attribute(attribute, value) {
    const { element } = this.#top;
    if (attribute === smd.HREF || attribute === smd.SRC) this.#link(element, safeUrl(value));
    else if (attribute === smd.LANG) element.dataset.language = value.trim().slice(0, 40);
    else if (attribute === smd.CHECKED) element.setAttribute("checked", "");
    else if (attribute === smd.START && /^\d{1,9}$/.test(value)) element.setAttribute("start", value);
  }

  /** @param {HTMLElement} element @param {URL | null} url */
  #link(element, url) {
    this.#top.url = url;
    if (!url) return;
    element.setAttribute("href", url.href);
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer nofollow");
  }

  /** @param {string} tag */
  #make(tag) {
    return this.#document.createElement(tag);
  }
}
