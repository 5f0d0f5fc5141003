/**
 * Runs of one mark in a text.
 */

/** The length of the run of this mark here. @param {string} text @param {number} at @param {string} mark */
export function runAt(text, at, mark) {
  let end = at;
  while (text[end] === mark) end += 1;
  return end - at;
}

/** Where runs of a mark stand, by their length: asked for in the order of the text. */
export class Runs {
  /** @type {Map<number, {places: number[], next: number}>} */
  #found = new Map();

  /** @param {string} text @param {string} mark */
  constructor(text, mark) {
    for (let at = text.indexOf(mark); at >= 0; ) {
      const length = runAt(text, at, mark);
      const known = this.#found.get(length);
      if (known) known.places.push(at);
      else this.#found.set(length, { places: [at], next: 0 });
      at = text.indexOf(mark, at + length);
    }
  }

  /** Where the next run of this length begins; -1 for nowhere. @param {number} length @param {number} at */
  after(length, at) {
    const known = this.#found.get(length);
    if (!known) return -1;
    while (known.next < known.places.length && known.places[known.next] <= at) known.next += 1;
    return known.places[known.next] ?? -1;
  }
}
