/**
 * Leaf blocks: code, formulas, paragraphs. Each function returns the block and the line after it.
 */
import * as line from "./lines.js";
import { tableOf } from "./tables.js";

/** The longest formula. */
const LONGEST_MATH = 4000;

/** @param {string[]} lines @param {number} at @param {NonNullable<ReturnType<typeof line.fenceOf>>} fence
 * @returns {[import("./blocks.js").Kind, number]} */
export function fenced(lines, at, fence) {
  let end = at + 1;
  while (end < lines.length && !line.closes(lines[end], fence)) end += 1;
  const inside = lines.slice(at + 1, end).map((text) => text.slice(Math.min(fence.indent, line.indentOf(text))));
  const closed = end < lines.length;
  if (!closed && inside.at(-1) === "") inside.pop(); // the next line has not begun
  return [{ type: "code", language: fence.language, text: inside.join("\n"), closed }, closed ? end + 1 : end];
}

/** @param {string[]} lines @param {number} at @returns {[import("./blocks.js").Kind, number]} */
export function indented(lines, at) {
  let end = at;
  for (let next = at; next < lines.length; next++) {
    if (line.indentOf(lines[next]) >= line.CODE_INDENT) end = next + 1;
    else if (!line.isBlank(lines[next])) break;
  }
  const inside = lines.slice(at, end).map((text) => text.slice(line.CODE_INDENT));
  return [{ type: "code", language: "", text: inside.join("\n"), closed: end < lines.length }, end];
}

/** A formula that is closed before a blank line, or null. @param {string[]} lines @param {number} at @param {string} close
 * @returns {[import("./blocks.js").Kind, number] | null} */
export function formula(lines, at, close) {
  let text = lines[at].trim().slice(2);
  for (let next = at; next < lines.length && text.length <= LONGEST_MATH; next++) {
    if (next > at) text += `\n${lines[next]}`;
    const whole = text.trimEnd();
    if (whole.endsWith(close)) {
      const inside = whole.slice(0, -close.length).trim();
      return inside && !inside.includes(close) ? [{ type: "math", text: inside }, next + 1] : null;
    }
    if (line.isBlank(lines[next])) return null;
  }
  return null;
}

/** @param {string[]} lines @param {number} at @returns {[import("./blocks.js").Kind, number]} */
export function paragraph(lines, at) {
  let end = at + 1;
  for (; end < lines.length; end++) {
    const level = line.underlineOf(lines[end]);
    if (level) return [{ type: "heading", level, text: textOf(lines, at, end) }, end + 1];
    if (line.interrupts(lines[end]) || tableOf(lines[end], lines[end + 1]) || line.mathOf(lines[end])) break;
  }
  return [{ type: "paragraph", text: textOf(lines, at, end) }, end];
}

/** @param {string[]} lines @param {number} from @param {number} to */
function textOf(lines, from, to) {
  return lines
    .slice(from, to)
    .map((text) => text.trimStart())
    .join("\n")
    .trimEnd();
}
