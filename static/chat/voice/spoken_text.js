/**
 * An answer's Markdown, as it arrives, as sentences to be read aloud. Pure.
 *
 * Blocks of code and formulas are left out; of a link its text is read, of an address its host. A sentence is given as
 * soon as its end is certain, and none is longer than voices can bear.
 */

/** Chrome's own voices fall silent after 15 s (https://issues.chromium.org/issues/40747712); 160 letters take 11. */
const LONGEST = 160;
const FENCE = /^\s*(?:```|~~~|\$\$\s*$|\\[[\]]\s*$)/;
const BLOCK = new RegExp(`${FENCE.source}|^\\s*\\|`);
const MAY_BE_BLOCK = /^\s*[`~|$\\]/;
const TABLE_RULE = /^[\s|:-]+$/;
const END = /[.!?…]+["'”’»)\]*_]*(?=\s|$)|[。！？]+[」』”’）*_]*/gu;
const PAUSE = /[,;:—–](?=\s)|[、，；：]/gu;

/** After these a full stop ends no sentence; nor does it after a single letter, or a number that may be an ordinal. */
const ABBREVIATIONS = new Set(
  (
    "mr mrs ms dr prof st vs no nos fig figs approx e.g i.e cf al inc ltd co jr sr vol pp ed dept est " +
    "z.b d.h u.a bzw usw ca nr str hr fr evtl ggf vgl inkl max min sog mme mlle sra srta p.ej ud uds sig dott " +
    "т.е т.д т.п др рис стр"
  ).split(" "),
);

export class SpokenText {
  #rest = "";
  #isStart = true;
  #isSkipped = false;

  /** More of the text. @param {string} text @returns {string[]} the sentences that are whole now */
  write(text) {
    this.#rest += text;
    return [...this.#sentences(false)];
  }

  /** The text is whole. @returns {string[]} what is left of it */
  finish() {
    return [...this.#sentences(true)];
  }

  /** @param {boolean} isWhole */
  *#sentences(isWhole) {
    while (this.#rest) {
      const end = this.#rest.indexOf("\n");
      const hasEnded = end >= 0 || isWhole;
      const line = end < 0 ? this.#rest : this.#rest.slice(0, end);
      if ((this.#isSkipped || (this.#isStart && MAY_BE_BLOCK.test(line))) && !hasEnded) return;
      const isBlock = this.#isSkipped || (this.#isStart && BLOCK.test(line));
      const until = isBlock ? -1 : sentenceEnd(line, hasEnded);
      if (until > 0 && until < line.length) {
        yield* pieces(line.slice(0, until));
        this.#rest = this.#rest.slice(until);
        this.#isStart = false;
        continue;
      }
      if (!hasEnded) return;
      yield* isBlock ? this.#block(line) : pieces(line);
      this.#rest = end < 0 ? "" : this.#rest.slice(end + 1);
      this.#isStart = true;
    }
  }

  /** A whole line of a block: a fence, what is between two, or a row of a table. @param {string} line */
  *#block(line) {
    if (FENCE.test(line)) this.#isSkipped = !this.#isSkipped;
    else if (!this.#isSkipped && !TABLE_RULE.test(line)) {
      yield* pieces(
        line
          .split("|")
          .map((cell) => cell.trim())
          .filter(Boolean)
          .join(", "),
      );
    }
  }
}

/**
 * Where the first sentence ends; -1 where that is not certain yet.
 * @param {string} line
 * @param {boolean} isWhole whether nothing more will follow on this line
 */
function sentenceEnd(line, isWhole) {
  for (const found of line.matchAll(END)) {
    const end = found.index + found[0].length;
    const after = line.slice(end).trimStart();
    if (!after && !isWhole) return -1;
    if (!found[0].startsWith(".") || isEnd(line.slice(0, found.index), found[0], after)) return end;
  }
  if (line.length <= LONGEST) return -1;
  return pauseBefore(line, LONGEST);
}

/** Whether a full stop ends a sentence. @param {string} before @param {string} stop @param {string} after */
function isEnd(before, stop, after) {
  if (/^\p{Ll}/u.test(after)) return false;
  if (stop.length > 1) return true;
  const word = /[\p{L}\p{N}.]+$/u.exec(before)?.[0].toLowerCase() ?? "";
  return !ABBREVIATIONS.has(word) && !/^(\p{L}|\d{1,2}|(\p{L}\.)+\p{L})$/u.test(word);
}

/**
 * The last place to breathe before `most`; a space, or there, where there is none.
 * @param {string} line @param {number} most
 */
function pauseBefore(line, most) {
  const pauses = [...line.slice(0, most).matchAll(PAUSE)];
  const last = pauses.at(-1);
  if (last && last.index > most / 3) return last.index + 1;
  const space = line.lastIndexOf(" ", most);
  return space > 0 ? space : most;
}

/** A sentence as plain text, in pieces that are short enough. @param {string} markdown */
function* pieces(markdown) {
  let left = plain(markdown);
  while (left.length > LONGEST) {
    const end = pauseBefore(left, LONGEST);
    yield left.slice(0, end).trim();
    left = left.slice(end).trim();
  }
  if (/[\p{L}\p{N}]/u.test(left)) yield left;
}

/** @param {string} markdown */
function plain(markdown) {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<?https?:\/\/(?:www\.)?([^\s/>)]+)[^\s>)]*>?/g, "$1")
    .replace(/\$[^$]+\$|\\\(.*?\\\)/g, " ")
    .replace(/<\/?[a-z][^>]*>/gi, " ")
    .replace(/^\s*(?:#{1,6}|>|[-*+](?:\s+\[[ x]\])?)\s+/i, "")
    .replace(/[*`~]+|(?<!\p{L})_+|_+(?!\p{L})/gu, "")
    .replace(/\p{Extended_Pictographic}|\u200d|\ufe0f/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Scripts that tell a language well enough for a voice. @type {[RegExp, string][]} */
const SCRIPTS = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, "ja"],
  [/\p{Script=Hangul}/u, "ko"],
  [/\p{Script=Han}/u, "zh"],
  [/[іїєґ]/iu, "uk"],
  [/\p{Script=Cyrillic}/u, "ru"],
  [/\p{Script=Greek}/u, "el"],
  [/\p{Script=Arabic}/u, "ar"],
  [/\p{Script=Hebrew}/u, "he"],
  [/\p{Script=Devanagari}/u, "hi"],
  [/\p{Script=Thai}/u, "th"],
];

/**
 * The language of a sentence: by its script where that tells one, else the reader's.
 * @param {string} sentence @param {string} own
 */
export function languageOf(sentence, own) {
  const found = SCRIPTS.find(([script]) => script.test(sentence))?.[1];
  return !found || own.startsWith(found) ? own : found;
}
