/**
 * Formats the times of an answer.
 */
import { t } from "./words.js";

/** @param {number} ms @returns {string} */
export function seconds(ms) {
  const value = ms / 1000;
  return value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

/** Tokens per second after the first text; null if unknown. @param {Times} times */
function rate({ first, total, tokens }) {
  const took = first === null || total === null ? 0 : total - first;
  return tokens === null || tokens < 2 || took < 50 ? null : Math.round((tokens * 1000) / took);
}

/** The short form: time to the first text, and the rate; "" if unknown. @param {Times} times */
export function rateOf(times) {
  if (times.first === null) return "";
  const found = rate(times);
  return found === null ? seconds(times.first) : `${seconds(times.first)} · ${found}/s`;
}

/** The long form. @param {Times} times */
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
