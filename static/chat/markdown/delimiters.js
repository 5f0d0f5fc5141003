/**
 * Emphasis: pairs of `*`, `_` and `~` in a list of pieces, as CommonMark 6.2 and GFM pair them.
 */

/**
 * @typedef {{tag: string, kids: Node[], attributes?: Record<string, string>, depth: number}} Element
 * @typedef {string | Element} Node
 * @typedef {{mark: string, count: number, original: number, opens: boolean, closes: boolean}} Run
 * @typedef {Node | Run} Piece
 */

/** The most open marks that are searched for a mark's partner. */
const LOOK_BACK = 64;
/** The deepest nesting of elements; beyond it they are text. */
const DEEPEST = 8;

const PUNCTUATION = /[\p{P}\p{S}]/u;

/** @param {Piece} piece @returns {piece is Run} */
const isRun = (piece) => typeof piece === "object" && "mark" in piece;

/**
 * A run of marks, and whether it can open or close by the characters around it.
 * @param {string} mark @param {number} count @param {string} before @param {string} after @returns {Run}
 */
export function runOf(mark, count, before, after) {
  const [spaceBefore, spaceAfter] = [!before || /\s/.test(before), !after || /\s/.test(after)];
  const [markBefore, markAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
  const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
  const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
  const opens = mark === "_" ? left && (!right || markBefore) : left;
  const closes = mark === "_" ? right && (!left || markAfter) : right;
  return { mark, count, original: count, opens, closes };
}

/**
 * The pieces with every pair of marks as an element, and every other mark as text.
 * @param {Piece[]} pieces
 * @param {boolean} [open] the text goes on: what is not closed yet will be
 * @returns {Node[]}
 */
export function paired(pieces, open = false) {
  /** @type {Piece[]} */
  const out = [];
  /** @type {number[]} */
  const openers = [];
  for (const piece of pieces) {
    if (!isRun(piece)) out.push(piece);
    else {
      if (piece.closes) close(out, openers, piece);
      if (piece.count > 0) {
        if (piece.opens) openers.push(out.length);
        out.push(piece);
      }
    }
  }
  if (open) closeAll(out, openers);
  return settled(out);
}

/** @param {Piece[]} out @param {number[]} openers @param {Run} closer */
function close(out, openers, closer) {
  for (let tries = 0, at = openers.length - 1; at >= 0 && tries < LOOK_BACK && closer.count > 0; tries++) {
    const opener = /** @type {Run} */ (out[openers[at]]);
    if (!fit(opener, closer)) {
      at -= 1;
      continue;
    }
    const used = opener.mark === "~" ? opener.count : opener.count > 1 && closer.count > 1 ? 2 : 1;
    const kids = settled(out.splice(openers[at] + 1));
    opener.count -= used;
    closer.count -= used;
    openers.length = at + 1;
    if (opener.count === 0) {
      out.pop();
      openers.pop();
      at -= 1;
    }
    out.push(...wrapped(opener.mark, used, kids));
  }
}

/** @param {Run} opener @param {Run} closer */
function fit(opener, closer) {
  if (opener.mark !== closer.mark) return false;
  if (opener.mark === "~") return opener.count === closer.count && opener.count < 3;
  const isEither = opener.closes || closer.opens;
  return (
    !isEither || (opener.original + closer.original) % 3 > 0 || (opener.original % 3 === 0 && closer.original % 3 === 0)
  );
}

/** @param {string} mark @param {number} used @param {Node[]} kids @returns {Node[]} */
function wrapped(mark, used, kids) {
  const depth = 1 + Math.max(0, ...kids.slice(0, 100).map((kid) => (typeof kid === "string" ? 0 : kid.depth)));
  if (depth > DEEPEST) return [mark.repeat(used), ...kids, mark.repeat(used)];
  return [{ tag: mark === "~" ? "s" : used === 2 ? "strong" : "em", kids, depth }];
}

/** What is open at the end of a text that goes on will be closed there. @param {Piece[]} out @param {number[]} openers */
function closeAll(out, openers) {
  if (isRun(out[out.length - 1])) {
    if (openers.at(-1) === out.length - 1) openers.pop();
    out.pop();
  }
  for (const at of openers.slice(-DEEPEST).reverse()) {
    const opener = /** @type {Run} */ (out[at]);
    const kids = settled(out.splice(at).slice(1));
    out.push(...wrapped(opener.mark, opener.mark === "~" ? 2 : Math.min(2, opener.count), kids));
  }
}

/** A longer word gets break opportunities: a browser takes seconds to lay out one of 100 KB. */
const LONGEST_WORD = 400;
/** Where browsers know by themselves where a line may end: scripts without spaces, their punctuation, and pictures. */
const OWN =
  /\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\u3000-\u303f\uff00-\uffef\p{ExtPict}\p{RI}/u;
/** So many letters in a row, and the marks on the last one. */
const PART = `[^\\s${OWN.source}]{${LONGEST_WORD}}\\p{M}*`;

/** The nodes, with places to break in words that are too long for any line. @param {Node[]} nodes @returns {Node[]} */
export function breakable(nodes) {
  const word = new RegExp(PART, "gu");
  /** @type {Node[]} */
  const out = [];
  for (const node of nodes) {
    if (typeof node !== "string") out.push({ ...node, kids: node.tag === "math" ? node.kids : breakable(node.kids) });
    else {
      let from = 0;
      for (const found of node.length < LONGEST_WORD ? [] : node.matchAll(word)) {
        const end = found.index + found[0].length;
        out.push(node.slice(from, end), { tag: "wbr", kids: [], depth: 1 });
        from = end;
      }
      if (from < node.length) out.push(node.slice(from));
    }
  }
  return out;
}

/** Marks as text, and neighbouring texts joined. @param {Piece[]} pieces @returns {Node[]} */
export function settled(pieces) {
  /** @type {Node[]} */
  const out = [];
  for (const piece of pieces) {
    const node = isRun(piece) ? piece.mark.repeat(piece.count) : piece;
    const last = out.length - 1;
    if (typeof node === "string" && typeof out[last] === "string") out[last] += node;
    else if (node !== "") out.push(node);
  }
  return out;
}
