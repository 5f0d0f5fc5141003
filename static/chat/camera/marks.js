/**
 * Finds the boxes and points in an answer's JSON, anywhere in its text.
 *
 * Gemini gives `{"box_2d": [ymin, xmin, ymax, xmax], "label": "…"}` and `{"point": [y, x], "label": "…"}`, in
 * thousandths of the photo (https://ai.google.dev/gemini-api/docs/image-understanding), in a code fence or not, in a
 * list or not. Complete entries of a truncated list are read; invalid entries are skipped.
 */

export const MOST_MARKS = 100;
const KEY = /["'](?:box_2d|points?)["']\s*:/g;
const LABELS = ["label", "name", "text_content", "text", "caption", "description"];
const THOUSANDTHS = 1000;

/**
 * The marks of a text, in its order; sides and places from 0 to 1, from the photo's upper left corner.
 * @param {string} text
 * @returns {Mark[]}
 */
export function marksIn(text) {
  return entries(text).flatMap(marksOf).slice(0, MOST_MARKS);
}

/**
 * The objects of a text that have one of the keys: the innermost one around each key.
 * One pass; each key is looked at once, so no text takes longer than its length allows.
 * @param {string} text
 * @returns {object[]}
 */
function entries(text) {
  const found = [];
  const keys = [...text.matchAll(KEY)].map(({ index }) => index).reverse();
  /** @type {number[]} */
  const open = [];
  /** Keys that were passed, and whose object has not ended. @type {number[]} */
  const passed = [];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    while (keys.length && keys[keys.length - 1] <= at) passed.push(/** @type {number} */ (keys.pop()));
    if (letter === "\n") quoted = false;
    else if (quoted && letter === "\\") at += 1;
    else if (letter === '"' && open.length) quoted = !quoted;
    else if (letter === "{" && !quoted) open.push(at);
    else if (letter === "}" && !quoted && open.length) {
      const start = /** @type {number} */ (open.pop());
      const isAround = (passed.at(-1) ?? -1) > start;
      while ((passed.at(-1) ?? -1) > start) passed.pop();
      if (isAround) found.push(parsed(text.slice(start, at + 1)));
    }
  }
  return found.filter((entry) => entry !== null);
}

/**
 * Parses an object, also with trailing commas or single quotes; null if it is invalid.
 * @param {string} json
 */
function parsed(json) {
  const strict = json.replace(/,\s*([}\]])/g, "$1");
  for (const attempt of [json, strict, strict.replaceAll("'", '"')]) {
    try {
      return /** @type {object} */ (JSON.parse(attempt));
    } catch {
      // The next attempt is more lenient.
    }
  }
  return null;
}

/** @param {any} entry @returns {Mark[]} */
function marksOf(entry) {
  const label = LABELS.map((name) => entry[name]).find((said) => typeof said === "string" && said.trim()) ?? "";
  const boxes = rows(entry.box_2d, 4).map(boxOf);
  const points = [...rows(entry.point, 2), ...rows(entry.points, 2)].map(pointOf);
  return [...boxes, ...points].map((mark) => ({ label: label.trim().slice(0, 80), ...mark }));
}

/** The rows of so many numbers: the value itself is one, or a list of them. @param {any} value @param {number} size */
function rows(value, size) {
  if (!Array.isArray(value)) return [];
  const candidates = value.some(Array.isArray) ? value : [value];
  return candidates
    .filter((row) => Array.isArray(row) && row.length === size && row.every((one) => one !== null && one !== ""))
    .map((/** @type {any[]} */ row) => row.map(Number))
    .filter((row) => row.every(Number.isFinite))
    .map((row) => row.map((one) => Math.min(1, Math.max(0, one / THOUSANDTHS))));
}

/** @param {number[]} row */
function boxOf([top, left, bottom, right]) {
  return {
    left: Math.min(left, right),
    top: Math.min(top, bottom),
    width: Math.abs(right - left),
    height: Math.abs(bottom - top),
  };
}

/** @param {number[]} row */
const pointOf = ([top, left]) => ({ left, top, width: 0, height: 0 });

/** A mark's position in words. @param {Mark} mark */
export function place({ left, top, width, height }) {
  const third = (/** @type {number} */ middle, /** @type {string[]} */ words) =>
    words[Math.min(2, Math.floor(middle * 3))];
  const row = third(top + height / 2, ["top", "middle", "bottom"]);
  const column = third(left + width / 2, ["left", "center", "right"]);
  const share = Math.round(width * height * 100);
  const size = width && height ? `, ${share < 1 ? "less than 1" : share} % of the photo` : "";
  return `${row} ${column}${size}`;
}
