/**
 * Markdown inside a paragraph (CommonMark 0.31 and GFM): a text → elements and texts.
 *
 * The text is read once. Lookahead is bounded in length, or its target is known to exist.
 */
import { t } from "../words.js";
import { addressAt, angledAt, linkTo, targetAt } from "./anchors.js";
import { breakable, paired, runOf } from "./delimiters.js";
import { entityAt } from "./entities.js";
import { formulaAt } from "./formulas.js";
import { Runs, runAt } from "./runs.js";

/** @typedef {import("./delimiters.js").Node} Node */
/** @typedef {import("./delimiters.js").Piece} Piece */

/** The most elements of one paragraph; the rest is plain text. */
const MOST_MARKS = 600;
/** The most characters of it that are parsed, so that the time for a growing paragraph is bounded. */
const LONGEST = 20_000;
const SPECIAL = /[\\`*_~[\]!<&$\n]|(?<![\p{L}\p{N}])(?:https?:\/\/|www\.)/gu;
const NOTE = /\[\^([^\]\s]{1,40})\]/y;
const BREAK = /<br\s{0,3}\/?>/iy;

export class Inline {
  #text;
  #definitions;
  #budget;
  #open;
  #at = 0;
  /** @type {Piece[]} */
  #out = [];
  /** @type {{at: number, from: number, isImage: boolean}[]} */
  #brackets = [];
  #marks = 0;
  /** @type {Runs | null} of backticks */
  #ticks = null;

  /**
   * @param {string} text
   * @param {{definitions: Map<string, string>, budget: {left: number}, open?: boolean}} means `open`: the text goes on
   */
  constructor(text, { definitions, budget, open = false }) {
    this.#text = text;
    this.#definitions = definitions;
    this.#budget = budget;
    this.#open = open;
  }

  /** @returns {Node[]} */
  parse() {
    const end = Math.min(this.#text.length, LONGEST);
    while (this.#at < end && this.#marks < MOST_MARKS && this.#budget.left > 0) {
      SPECIAL.lastIndex = this.#at;
      const found = SPECIAL.exec(this.#text);
      if (!found) break;
      if (found.index > this.#at) this.#out.push(this.#text.slice(this.#at, found.index));
      this.#at = found.index;
      this.#special(found[0]);
    }
    if (this.#at < this.#text.length) this.#out.push(this.#text.slice(this.#at));
    return breakable(paired(this.#out, this.#open));
  }

  /** @param {string} mark */
  #special(mark) {
    if (mark.length > 1) return this.#address();
    if (mark === "\\") return this.#escape();
    if (mark === "`") return this.#code();
    if (mark === "*" || mark === "_" || mark === "~") return this.#run(mark);
    if (mark === "[" || mark === "!") return this.#bracket(mark === "!");
    if (mark === "]") return this.#close();
    if (mark === "$") return this.#formula() || this.#literal(1);
    if (mark === "\n") return this.#lineEnd();
    if (mark === "&") return this.#entity();
    return this.#angle();
  }

  #literal(/** @type {number} */ length) {
    this.#out.push(this.#text.slice(this.#at, this.#at + length));
    this.#at += length;
  }

  /** @param {string} tag @param {Node[]} kids @param {Record<string, string>} [attributes] */
  #add(tag, kids, attributes) {
    this.#marks += 1;
    this.#budget.left -= 1;
    this.#out.push({ tag, kids, attributes, depth: 1 });
  }

  #formula() {
    const found = formulaAt(this.#text, this.#at);
    if (!found) return false;
    this.#add("math", [found.tex], found.isBlock ? { class: "math block" } : { class: "math" });
    this.#at += found.length;
    return true;
  }

  #escape() {
    const next = this.#text[this.#at + 1] ?? "";
    if ((next === "(" || next === "[") && this.#formula()) return;
    if (next === "\n") this.#add("br", []);
    else if (!/[!-/:-@[-`{-~]/.test(next)) return this.#literal(1);
    else this.#out.push(next);
    this.#at += 2;
  }

  #code() {
    const length = runAt(this.#text, this.#at, "`");
    this.#ticks ??= new Runs(this.#text, "`");
    const from = this.#at + length;
    const found = this.#ticks.after(length, this.#at);
    const end = found < 0 && this.#open ? this.#text.length : found;
    if (end < 0) return this.#literal(length);
    let code = this.#text.slice(from, end).replaceAll("\n", " ");
    if (code.startsWith(" ") && code.endsWith(" ") && code.trim()) code = code.slice(1, -1);
    this.#add("code", [code], { dir: "ltr" });
    this.#at = Math.min(end + length, this.#text.length);
  }

  /** @param {string} mark */
  #run(mark) {
    const count = runAt(this.#text, this.#at, mark);
    const before = [...this.#text.slice(Math.max(0, this.#at - 2), this.#at)].at(-1) ?? "";
    const after = String.fromCodePoint(this.#text.codePointAt(this.#at + count) ?? 32);
    this.#marks += 1;
    this.#out.push(runOf(mark, count, before, after));
    this.#at += count;
  }

  /** @param {boolean} isImage */
  #bracket(isImage) {
    if (isImage && this.#text[this.#at + 1] !== "[") return this.#literal(1);
    NOTE.lastIndex = this.#at;
    const note = isImage ? null : NOTE.exec(this.#text);
    if (note) {
      this.#add("sup", [note[1]], { class: "reference" });
      this.#at += note[0].length;
      return;
    }
    const length = isImage ? 2 : 1;
    this.#brackets.push({ at: this.#out.length, from: this.#at + length, isImage });
    this.#literal(length);
  }

  /** A closing bracket: the end of a link, if an address follows or its text is a name. */
  #close() {
    const bracket = this.#brackets.pop();
    if (!bracket) return this.#literal(1);
    const target = targetAt(this.#text, bracket.from, this.#at, this.#definitions);
    if (!target) return this.#literal(1);
    const kids = paired(this.#out.splice(bracket.at).slice(1));
    this.#at += target.length;
    this.#link(target.address, kids.length || !bracket.isImage ? kids : [t("Image")]);
    if (!bracket.isImage) this.#brackets.length = 0; // no link inside a link
  }

  /** @param {string} address @param {Node[]} within */
  #link(address, within) {
    const { kids, attributes } = linkTo(address, within);
    this.#add("a", kids, attributes);
  }

  #address() {
    const address = addressAt(this.#text, this.#at);
    if (!address) return this.#literal(1);
    this.#at += address.length;
    return this.#link(address.startsWith("www.") ? `https://${address}` : address, [address]);
  }

  #angle() {
    const link = angledAt(this.#text, this.#at);
    if (link) {
      this.#at += link.length;
      return this.#link(link.address.includes(":") ? link.address : `mailto:${link.address}`, [link.address]);
    }
    BREAK.lastIndex = this.#at;
    const found = BREAK.exec(this.#text);
    if (!found) return this.#literal(1);
    this.#at += found[0].length;
    return this.#add("br", []);
  }

  #entity() {
    const found = entityAt(this.#text, this.#at);
    if (!found) return this.#literal(1);
    this.#out.push(found.text);
    this.#at += found.length;
  }

  #lineEnd() {
    const last = this.#out.length - 1;
    const before = this.#out[last];
    this.#at += 1;
    if (typeof before !== "string" || !before.endsWith("  ")) this.#out.push("\n");
    else {
      this.#out[last] = before.trimEnd();
      this.#add("br", []);
    }
  }
}
