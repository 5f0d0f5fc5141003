/**
 * Classifies single lines of Markdown. Pure functions, each linear in the line's length.
 */

/** The indentation of code, in spaces. */
export const CODE_INDENT = 4;

/** @param {string} line how many spaces it begins with */
export function indentOf(line) {
  const at = line.search(/[^ ]/);
  return at < 0 ? line.length : at;
}

/** @param {string} line */
export const isBlank = (line) => indentOf(line) === line.length;

/** Leading tabs as spaces; without a carriage return at the end. @param {string} line */
export function plain(line) {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.includes("\t") ? text.replace(/^[ \t]+/, (found) => found.replaceAll("\t", "    ")) : text;
}

/** A heading with `#`. @param {string} line @returns {{level: number, text: string} | null} */
export function headingOf(line) {
  const found = /^ {0,3}(#{1,6})(?=[ \t]|$)/.exec(line);
  if (!found) return null;
  let text = line.slice(found[0].length).trim();
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  if (end < text.length && (end === 0 || text[end - 1] === " ")) text = text.slice(0, end).trimEnd();
  return { level: found[1].length, text };
}

/** A line across the page. @param {string} line */
export function isRule(line) {
  const at = indentOf(line);
  const mark = line[at];
  if (at >= CODE_INDENT || (mark !== "-" && mark !== "*" && mark !== "_")) return false;
  let marks = 0;
  for (let place = at; place < line.length; place++) {
    if (line[place] === mark) marks += 1;
    else if (line[place] !== " " && line[place] !== "\t") return false;
  }
  return marks >= 3;
}

/** The line under a heading: its level, or 0. @param {string} line */
export function underlineOf(line) {
  const text = line.trim();
  if (indentOf(line) >= CODE_INDENT || !text) return 0;
  for (const character of text) if (character !== text[0]) return 0;
  return text[0] === "=" ? 1 : text[0] === "-" ? 2 : 0;
}

/** The begin of a block of code. @param {string} line @returns {{mark: string, length: number, language: string, indent: number} | null} */
export function fenceOf(line) {
  const found = /^( {0,3})(`{3,}|~{3,})/.exec(line);
  if (!found) return null;
  const language = line.slice(found[0].length).trim();
  if (found[2][0] === "`" && language.includes("`")) return null;
  return { mark: found[2][0], length: found[2].length, language: language.slice(0, 40), indent: found[1].length };
}

/** @param {string} line @param {{mark: string, length: number}} fence whether the line ends that block of code */
export function closes(line, { mark, length }) {
  const text = line.trim();
  if (text.length < length || indentOf(line) >= CODE_INDENT) return false;
  for (const character of text) if (character !== mark) return false;
  return true;
}

/** Without the mark of a quotation; null where there is none. @param {string} line */
export function quotedIn(line) {
  const at = indentOf(line);
  if (at >= CODE_INDENT || line[at] !== ">") return null;
  return line.slice(line[at + 1] === " " ? at + 2 : at + 1);
}

/**
 * The begin of a list's item: its mark, where its text begins, and its number.
 * @param {string} line
 * @returns {{kind: string, start: number, indent: number, content: number} | null}
 */
export function itemOf(line) {
  const found = /^( *)([-*+]|\d{1,9}[.)])(?= |$)/.exec(line);
  if (!found || isRule(line)) return null;
  const [all, spaces, mark] = found;
  const gap = indentOf(line.slice(all.length));
  const content = all.length + (gap > CODE_INDENT || gap === line.length - all.length ? 1 : gap);
  const isBullet = mark.length === 1;
  return {
    kind: isBullet ? mark : mark[mark.length - 1],
    start: isBullet ? -1 : Number.parseInt(mark, 10),
    indent: spaces.length,
    content,
  };
}

/** The begin of a formula on lines of its own: what closes it. @param {string} line */
export function mathOf(line) {
  const text = line.trim();
  return text.startsWith("$$") ? "$$" : text.startsWith("\\[") ? "\\]" : "";
}

/** Whether the line begins something that ends a paragraph. @param {string} line */
export function interrupts(line) {
  if (isBlank(line) || headingOf(line) || fenceOf(line) || quotedIn(line) !== null || isRule(line)) return true;
  const item = itemOf(line);
  return item !== null && item.indent < CODE_INDENT && item.start < 2 && line.length > item.content;
}
