/**
 * Incremental Markdown: only the last block is parsed again when text arrives.
 *
 *     text ── hold.js ──> what can be shown ── blocks.js ──> blocks ── elements.js ──> shapes ── renderer.js ──> page
 *             (what may become a mark waits)    lines, tables,          the only elements      inline.js for texts
 *                                               leaves                  there are              that have changed
 */
import { Blocks } from "./markdown/blocks.js";
import { shapesOf } from "./markdown/elements.js";
import { shownOf } from "./markdown/hold.js";
import { plain } from "./markdown/lines.js";
import { Renderer, sizeOf } from "./markdown/renderer.js";

/** The most elements of one text; the rest is shown as plain text. */
const MOST = 10_000;
/** Blocks in one group: with all blocks side by side, browsers look at each again for every word that comes. */
const GROUP = 16;

export class Markdown {
  #root;
  #renderer;
  #definitions = new Map();
  #budget = { left: MOST };
  #all = "";
  /** The text that may still change: the last block, and held characters. */
  #tail = "";
  /** The number of final blocks, and of their elements. */
  #settled = 0;
  #size = 0;
  /** The levels of the headings that the tail, and its last block, stand below. @type {number[]} */
  #outline = [];
  /** @type {number[]} */
  #above = [];
  /** The number of link references when the first block was final. */
  #names = -1;
  /** @type {(string | import("./markdown/renderer.js").Shown)[]} */
  #shown = [];

  /**
   * @param {HTMLElement} root where the text goes
   * @param {{code: (code: HTMLElement, language: string) => void, formula: (place: HTMLElement, isBlock: boolean) => void}} whole
   *   called with each complete block of code and formula
   */
  constructor(root, whole) {
    this.#root = root;
    const means = { definitions: this.#definitions, budget: this.#budget };
    this.#renderer = new Renderer(root.ownerDocument, means, (element, shape) => {
      if (shape.whole === "code") whole.code(element, shape.language ?? "");
      else whole.formula(element, shape.attributes?.class === "math block");
    });
  }

  /** Adds text. @param {string} text */
  write(text) {
    this.#all += text;
    this.#tail += text;
    const blocks = this.#render(this.#tail.slice(0, shownOf(this.#tail)), true);
    const last = blocks.at(-1);
    if (!last || blocks.length < 2) return;
    for (let line = 0, at = 0; line <= last.from; line++) {
      if (line === last.from) this.#tail = this.#tail.slice(at);
      else at = this.#tail.indexOf("\n", at) + 1;
    }
    const settled = this.#shown.splice(0, blocks.length - 1);
    this.#settled += settled.length;
    this.#outline = this.#above;
    this.#size += settled.reduce((sum, shown) => sum + sizeOf(shown), 0);
    if (this.#names < 0) this.#names = this.#definitions.size;
  }

  /** Ends the text, and closes open elements. */
  finish() {
    this.#render(this.#tail, false);
    if (this.#names < 0 || this.#names === this.#definitions.size) return;
    // A link reference was defined after its use.
    [this.#settled, this.#size, this.#shown, this.#outline] = [0, 0, [], []];
    while (this.#root.lastChild) this.#root.removeChild(this.#root.lastChild);
    this.#render(this.#all, false);
  }

  /** @param {string} text @param {boolean} open */
  #render(text, open) {
    this.#budget.left = MOST - this.#size;
    const lines = text.split("\n").map(plain);
    const blocks = new Blocks(this.#budget, this.#definitions).parse(lines);
    const outline = [...this.#outline];
    const shapes = shapesOf(blocks.slice(0, -1), false, outline);
    this.#above = [...outline];
    shapes.push(...shapesOf(blocks.slice(-1), open, outline));
    this.#show(shapes);
    return blocks;
  }

  /** Shows the blocks behind those that are final. @param {import("./markdown/elements.js").Shape[]} shapes */
  #show(shapes) {
    const end = this.#settled + shapes.length;
    const next = [];
    let at = this.#settled;
    do {
      const number = Math.floor(at / GROUP);
      const part = [at - this.#settled, (number + 1) * GROUP - this.#settled];
      const shown = this.#shown.slice(...part);
      next.push(...this.#renderer.update(this.#group(number), shown, shapes.slice(...part), at % GROUP));
      at = (number + 1) * GROUP;
    } while (at < end);
    while (this.#root.childNodes.length > Math.ceil(end / GROUP))
      this.#root.removeChild(/** @type {ChildNode} */ (this.#root.lastChild));
    this.#shown = next;
  }

  /** The element of a group; the next one is made. @param {number} number */
  #group(number) {
    const found = this.#root.childNodes[number];
    if (found) return /** @type {HTMLElement} */ (found);
    const made = this.#root.ownerDocument.createElement("div");
    made.setAttribute("class", "blocks");
    this.#root.appendChild(made);
    return made;
  }
}
