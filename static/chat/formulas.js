/**
 * Finds formulas before the Markdown parser sees the text, as the parser takes any `$` for one and never lets go.
 *
 * A formula is `$…$` on one line, `$$…$$`, `\(…\)` or `\[…\]` outside of code. It is held back until it is whole,
 * then handed on in the one form that the parser reads well. What turns out to be none is handed on as plain text.
 */

/** @type {Record<string, {close: string, most: number, isBlock: boolean}>} */
const KINDS = {
  $: { close: "$", most: 400, isBlock: false },
  $$: { close: "$$", most: 4000, isBlock: true },
  "\\(": { close: "\\)", most: 1000, isBlock: false },
  "\\[": { close: "\\]", most: 4000, isBlock: true },
};

/** Where a line begins with more than this, how it begins is known. */
const LINE = 200;
const MOST_TICKS = 64;

/** @typedef {"text" | "code" | "fence" | "formula"} Mode */

export class Formulas {
  /** @type {Mode} */
  #mode = "text";
  #held = "";
  #open = "";
  #line = "";
  #ticks = 0;
  #run = 0;
  #wary = false;

  /** The text to parse, given more of the text as it came. @param {string} text @returns {string} */
  write(text) {
    let out = "";
    for (const character of text) out += this.#step(character);
    return out;
  }

  /** What is still held back when the text is whole. @returns {string} */
  finish() {
    return this.#mode === "formula" ? this.#release() : this.#giveHeld();
  }

  /** @param {string} character @returns {string} */
  #step(character) {
    if (this.#mode === "formula") return this.#formula(character);
    if (this.#mode === "code") return this.#code(character);
    if (this.#mode === "fence") return this.#fence(character);
    if (this.#held) return this.#marked(character);
    if (character === "`" || character === "$" || character === "\\") {
      this.#held = character;
      return "";
    }
    return this.#pass(character);
  }

  /** After a backtick, a dollar or a backslash. @param {string} character */
  #marked(character) {
    const held = this.#held;
    if (held[0] === "`") {
      if (character !== "`" || held.length > MOST_TICKS) return this.#beginCode() + this.#step(character);
      this.#held += character;
      return "";
    }
    const open = held + character;
    if (!this.#wary && open in KINDS) return this.#beginFormula(open, "");
    if (held === "\\") return this.#giveHeld() + this.#pass(character);
    if (this.#wary || /[\s\d.,;:!?)\]]/.test(character)) return this.#giveHeld() + this.#step(character);
    return this.#beginFormula("$", character);
  }

  /** @param {string} open @param {string} first */
  #beginFormula(open, first) {
    this.#mode = "formula";
    this.#open = open;
    this.#held = open;
    return first && this.#formula(first);
  }

  #beginCode() {
    this.#ticks = this.#held.length;
    this.#mode = this.#ticks >= 3 && /^[\s>*+\-\d.)]*$/.test(this.#line) ? "fence" : "code";
    this.#run = 0;
    return this.#giveHeld();
  }

  /** @param {string} character */
  #formula(character) {
    const { close, most, isBlock } = KINDS[this.#open];
    this.#held += character;
    const mayEnd = character === "\n" || character === close[close.length - 1];
    if (!mayEnd) return this.#held.length > most ? this.#release() : "";
    const inside = this.#held.slice(this.#open.length, -close.length);
    if (this.#held.endsWith(close) && inside.trim() && !(close === "$" && /[\s\\]$/.test(inside))) {
      this.#mode = "text";
      this.#held = "";
      if (this.#line.length < LINE) this.#line += inside;
      return isBlock ? `$$\n${inside.trim()}\n$$` : `\\(${inside}\\)`;
    }
    const isTooLong = this.#held.length > most || this.#held.endsWith(isBlock ? "\n\n" : "\n");
    return isTooLong ? this.#release() : "";
  }

  /** What was held is no formula: its mark is text, and nothing in it is looked at twice. */
  #release() {
    const rest = this.#held.slice(this.#open.length);
    this.#mode = "text";
    this.#held = "";
    this.#wary = true;
    const out = this.#open.replace(/[$\\]/g, "\\$&") + this.write(rest);
    this.#wary = false;
    return out;
  }

  #giveHeld() {
    const held = this.#held;
    this.#held = "";
    if (this.#line.length < LINE) this.#line += held;
    return held === "$" ? "\\$" : held;
  }

  /** @param {string} character */
  #code(character) {
    if (character !== "`" && this.#run === this.#ticks) {
      this.#mode = "text";
      return this.#step(character);
    }
    if (character === "\n" && this.#line === "") this.#mode = "text";
    this.#run = character === "`" ? this.#run + 1 : 0;
    return this.#pass(character);
  }

  /** @param {string} character */
  #fence(character) {
    const line = this.#line.replace(/^[\s>]+/, "").trimEnd();
    if (character === "\n" && line.length >= this.#ticks && /^`+$/.test(line)) this.#mode = "text";
    return this.#pass(character);
  }

  /** @param {string} character */
  #pass(character) {
    if (character === "\n") this.#line = "";
    else if (this.#line.length < LINE) this.#line += character;
    return character;
  }
}
