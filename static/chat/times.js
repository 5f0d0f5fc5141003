/**
 * How long an answer took, in words.
 */

/** @param {number} ms @returns {string} */
export function seconds(ms) {
  const value = ms / 1000;
  return value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

/** Tokens a second once the answer had begun; null where it cannot be told. @param {Times} times */
function rate({ first, total, tokens }) {
  const took = first === null || total === null ? 0 : total - first;
  return tokens === null || tokens < 2 || took < 50 ? null : Math.round((tokens * 1000) / took);
}

/** In short: when the first word came, and how fast the rest; "" where nothing is known. @param {Times} times */
export function rateOf(times) {
  if (times.first === null) return "";
  const found = rate(times);
  return found === null ? seconds(times.first) : `${seconds(times.first)} · ${found}/s`;
}

/** The same in full. @param {Times} times */
export function story(times) {
  const found = rate(times);
  return [
    times.first === null ? "" : `The first word came after ${seconds(times.first)}.`,
    times.total === null ? "" : `The whole answer took ${seconds(times.total)}.`,
    times.tokens === null ? "" : `It has ${times.tokens} tokens${found === null ? "" : `, ${found} a second`}.`,
  ]
    .filter(Boolean)
    .join(" ");
}
