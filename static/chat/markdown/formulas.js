/**
 * Formulas in a line of text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`. Money and shell variables are none.
 */

/** @type {{open: string, close: string, most: number, isBlock: boolean}[]} */
const KINDS = [
  { open: "$$", close: "$$", most: 4000, isBlock: true },
  { open: "$", close: "$", most: 400, isBlock: false },
  { open: "\\(", close: "\\)", most: 1000, isBlock: false },
  { open: "\\[", close: "\\]", most: 4000, isBlock: true },
];
/** Dollars that are looked at for the one that ends a formula. */
const MOST_TRIES = 4;

/**
 * The formula that begins here, or null.
 * @param {string} text
 * @param {number} at
 * @returns {{tex: string, length: number, isBlock: boolean} | null}
 */
export function formulaAt(text, at) {
  const kind = KINDS.find(({ open }) => text.startsWith(open, at));
  if (!kind) return null;
  const from = at + kind.open.length;
  const rest = text.slice(from, from + kind.most);
  if (kind.open === "$" && /^[\s.,;:!?)\]]/.test(rest)) return null;
  const end = kind.open === "$" ? dollarIn(rest) : rest.indexOf(kind.close);
  const tex = rest.slice(0, Math.max(0, end));
  if (!tex.trim() || (kind.open === "$" && /^\d/.test(tex) && !/[\\^_={}+]|^\d+[a-z]/i.test(tex))) return null;
  return { tex: tex.trim(), length: kind.open.length + tex.length + kind.close.length, isBlock: kind.isBlock };
}

/** Where a formula in one dollar ends: on its line, after what is no space or backslash; -1 for nowhere. @param {string} rest */
function dollarIn(rest) {
  const line = rest.indexOf("\n");
  let at = rest.indexOf("$");
  for (let tries = 0; tries < MOST_TRIES && at >= 0 && (line < 0 || at < line); tries++) {
    if (!/[\s\\]/.test(rest[at - 1] ?? " ") && !/\d/.test(rest[at + 1] ?? "")) return at;
    at = rest.indexOf("$", at + 1);
  }
  return -1;
}
