/**
 * How much of a growing text can be shown: the possible beginning of a mark is held until it is certain.
 */

/** The most characters that are held. */
const LONGEST = 400;
/** The begin of a line that may become a list, a heading, a rule, a fence, a quotation, a table's dashes. */
const MARKS = /^[\s>*+\-_=#~`|:.\d)]*$/;
const FENCE = /^[\s>*+\-\d.)]*(?:`{3,}|~{3,})[^`\n]*$/;
const NAMED = /^ {0,3}\[[^\]]{1,200}\]:[^\n]*$/;
const TASK = /^\s*(?:[-*+]|\d+[.)])\s+\[[ xX]?\]?$/;
/** The end of a text that may become a link, a character by its name, an address in angles, a formula, an escape. */
const TAILS = [
  /!?\[[^[\]\n]{0,80}$/,
  /!?\[[^[\]\n]{0,80}\](?:\([^\s()]{0,300})?$/,
  /&[#a-z0-9]{0,10}$/i,
  /<[a-z/][^\s<>]{0,60}$/i,
  /\$[^\s\d$][^$\n]{0,200}$/,
  /\\\([^\n]{0,300}$/,
  /[\\!$]$/,
];

/** How many characters of the text can be shown now. @param {string} text @returns {number} */
export function shownOf(text) {
  const start = text.lastIndexOf("\n") + 1;
  const line = text.slice(start, start + LONGEST + 1);
  if (line.length <= LONGEST) {
    const head = headOf(text, start, line);
    if (head >= 0) return head;
    if (MARKS.test(line) || FENCE.test(line) || NAMED.test(line) || TASK.test(line)) return start;
  }
  const from = Math.max(start, text.length - LONGEST);
  const end = text.slice(from);
  const held = TAILS.map((tail) => end.search(tail)).filter((at) => at >= 0);
  return held.length ? from + Math.min(...held) : text.length;
}

/**
 * Where a table's head begins, as long as the line under it is not known; -1 for none.
 * @param {string} text @param {number} start of the last line @param {string} line
 */
function headOf(text, start, line) {
  const before = start > 0 ? text.lastIndexOf("\n", start - 2) + 1 : start;
  const follows = before < start && text[before] === "|";
  if (!follows) return line.startsWith("|") ? start : -1;
  const second = before > 0 ? text.lastIndexOf("\n", before - 2) + 1 : before;
  const isFirst = second === before || text[second] !== "|";
  return isFirst && /^[\s|:-]*$/.test(line) ? before : -1;
}
