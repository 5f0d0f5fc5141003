/**
 * Markdown's blocks (CommonMark 0.31 and GFM): lines → a tree of blocks with unparsed texts.
 *
 * Every line is read once per level. Levels and the number of blocks are bounded; beyond that the rest is text.
 */
import { fenced, formula, indented, paragraph } from "./leaves.js";
import * as line from "./lines.js";
import { cellsOf, rowOf, tableOf } from "./tables.js";

/** The deepest nesting of quotations and lists; beyond it they are text. */
const DEEPEST = 12;
/**
 * @typedef {{type: "paragraph" | "plain", text: string}
 *   | {type: "heading", level: number, text: string}
 *   | {type: "code", language: string, text: string, closed: boolean}
 *   | {type: "math", text: string}
 *   | {type: "rule"}
 *   | {type: "quote", blocks: Block[]}
 *   | {type: "note", label: string, blocks: Block[]}
 *   | {type: "list", start: number, loose: boolean, items: {task: boolean | null, blocks: Block[]}[]}
 *   | {type: "table", align: string[], rows: string[][]}} Kind
 * @typedef {Kind & {from: number}} Block `from`: the line that it begins with
 */

export class Blocks {
  #budget;
  #definitions;

  /**
   * @param {{left: number}} budget how many more elements may be made
   * @param {Map<string, string>} definitions addresses by their names; those that are found are added
   */
  constructor(budget, definitions) {
    this.#budget = budget;
    this.#definitions = definitions;
  }

  /** @param {string[]} lines @param {number} [depth] @returns {Block[]} */
  parse(lines, depth = 0) {
    /** @type {Block[]} */
    const blocks = [];
    for (let at = 0; at < lines.length; ) {
      if (line.isBlank(lines[at])) {
        at += 1;
        continue;
      }
      if (this.#budget.left <= 0) {
        blocks.push({ type: "plain", text: lines.slice(at).join("\n"), from: at });
        break;
      }
      this.#budget.left -= 1;
      const [block, next] = this.#next(lines, at, depth);
      if (block) blocks.push({ ...block, from: at });
      at = next;
    }
    return blocks;
  }

  /** The block that begins here, and the line after it. @param {string[]} lines @param {number} at @param {number} depth
   * @returns {[Kind | null, number]} */
  #next(lines, at, depth) {
    const first = lines[at];
    const heading = line.headingOf(first);
    if (heading) return [{ type: "heading", ...heading }, at + 1];
    const fence = line.fenceOf(first);
    if (fence) return fenced(lines, at, fence);
    if (line.isRule(first)) return [{ type: "rule" }, at + 1];
    if (line.indentOf(first) >= line.CODE_INDENT) return indented(lines, at);
    const math = line.mathOf(first) && formula(lines, at, line.mathOf(first));
    if (math) return math;
    if (depth < DEEPEST) {
      if (line.quotedIn(first) !== null) return this.#quote(lines, at, depth);
      if (line.itemOf(first)) return this.#list(lines, at, depth);
      const note = /^ {0,3}\[\^([^\]\s]{1,40})\]:/.exec(first);
      if (note) return this.#note(lines, at, depth, note);
    }
    if (this.#define(first)) return [null, at + 1];
    const align = tableOf(first, lines[at + 1]);
    return align ? this.#table(lines, at, align) : paragraph(lines, at);
  }

  /** @param {string[]} lines @param {number} at @param {number} depth @returns {[Kind, number]} */
  #quote(lines, at, depth) {
    const inside = [];
    let next = at;
    for (; next < lines.length; next++) {
      const quoted = line.quotedIn(lines[next]);
      if (quoted === null && (line.interrupts(lines[next]) || !inside.at(-1)?.trim())) break;
      inside.push(quoted ?? lines[next]);
    }
    return [{ type: "quote", blocks: this.parse(inside, depth + 1) }, next];
  }

  /** @param {string[]} lines @param {number} at @param {number} depth @param {RegExpExecArray} note @returns {[Kind, number]} */
  #note(lines, at, depth, note) {
    const inside = [lines[at].slice(note[0].length).trimStart()];
    let next = at + 1;
    for (; next < lines.length; next++) {
      const isIndented = line.indentOf(lines[next]) >= 2 && !line.isBlank(lines[next]);
      const goesOn = line.isBlank(lines[next]) && line.indentOf(lines[next + 1] ?? "") >= line.CODE_INDENT;
      if (!isIndented && !goesOn) break;
      inside.push(lines[next].trimStart());
    }
    return [{ type: "note", label: note[1], blocks: this.parse(inside, depth + 1) }, next];
  }

  /** @param {string[]} lines @param {number} at @param {number} depth @returns {[Kind, number]} */
  #list(lines, at, depth) {
    const first = /** @type {NonNullable<ReturnType<typeof line.itemOf>>} */ (line.itemOf(lines[at]));
    const items = [];
    let loose = false;
    let next = at;
    while (next < lines.length && this.#budget.left > 0) {
      const item = line.itemOf(lines[next]);
      if (!item || item.kind !== first.kind || item.indent > first.indent + 1) break;
      const [inside, after] = itemLines(lines, next, item);
      this.#budget.left -= 1;
      const task = /^\[([ xX])\](?: |$)/.exec(inside[0]);
      if (task) inside[0] = inside[0].slice(task[0].length);
      items.push({ task: task ? task[1] !== " " : null, blocks: this.parse(inside, depth + 1) });
      next = after;
      let blank = next;
      while (blank < lines.length && line.isBlank(lines[blank])) blank += 1;
      loose ||= inside.some((text, place) => line.isBlank(text) && place < inside.length - 1);
      const follows = line.itemOf(lines[blank] ?? "");
      if (blank === next || !follows || follows.kind !== first.kind || follows.indent > first.indent + 1) continue;
      loose = true;
      next = blank;
    }
    return [{ type: "list", start: first.start, loose, items }, next];
  }

  /** @param {string[]} lines @param {number} at @param {string[]} align @returns {[Kind, number]} */
  #table(lines, at, align) {
    const rows = [cellsOf(lines[at])];
    let next = at + 2;
    for (; next < lines.length && this.#budget.left > 0 && !line.interrupts(lines[next]); next++) {
      rows.push(rowOf(lines[next], align.length));
      this.#budget.left -= align.length + 1;
    }
    return [{ type: "table", align, rows }, next];
  }

  /** Stores a link reference, `[name]: address`. @param {string} text */
  #define(text) {
    const found = /^ {0,3}\[([^\]^][^\]]{0,199})\]:[ \t]{0,9}<?([^\s<>]{1,2000})>?(?:[ \t]{1,9}["'(].{0,500})?$/.exec(
      text,
    );
    if (!found) return false;
    const name = found[1].toLowerCase();
    if (!this.#definitions.has(name)) this.#definitions.set(name, found[2]);
    return true;
  }
}

/** The lines of one item, without its mark, and the line after it. @param {string[]} lines @param {number} at
 * @param {{indent: number, content: number}} item @returns {[string[], number]} */
function itemLines(lines, at, { indent, content }) {
  const inside = [lines[at].slice(content)];
  let strip = content;
  let next = at + 1;
  while (next < lines.length) {
    const text = lines[next];
    const depth = line.indentOf(text);
    if (line.isBlank(text)) {
      let after = next;
      while (after < lines.length && line.isBlank(lines[after])) after += 1;
      if (after === lines.length || line.indentOf(lines[after]) < Math.min(strip, indent + 2)) break;
      inside.push("");
      next = after;
      continue;
    }
    // Models indent by two where the mark takes three.
    if (depth < strip && depth >= indent + 2 && (line.itemOf(text) || line.fenceOf(text.trimStart()))) strip = depth;
    if (depth >= strip) inside.push(text.slice(strip));
    else if (line.itemOf(text) || line.interrupts(text) || !inside.at(-1)?.trim()) break;
    else inside.push(text);
    next += 1;
  }
  return [inside, next];
}
