/**
 * How long an answer took, in words.
 */
import { t } from "./words.js";

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
    times.first === null ? "" : t("The first word came after {time}.", { time: seconds(times.first) }),
    times.total === null ? "" : t("The whole answer took {time}.", { time: seconds(times.total) }),
    times.tokens === null ? "" : length(times.tokens, found),
  ]
    .filter(Boolean)
    .join(" ");
}

/** @param {number} count @param {number | null} rate */
function length(count, rate) {
  if (rate === null) return t("It has {count} tokens.", { count });
  return t("It has {count} tokens, {rate} a second.", { count, rate });
}
