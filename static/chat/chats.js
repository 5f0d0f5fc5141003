/**
 * The list of chats as a value: rows by id, and their groups: pinned ones, then by day.
 */
import { t } from "./words.js";

/** The number of days that have their own groups. */
const WEEK = 7;
const MONTH = 30;
const DAY = 86_400_000;
/** Not by `Intl`, whose data takes a browser longer to load than all modules of the page. */
const MONTHS = [
  t("January {year}"),
  t("February {year}"),
  t("March {year}"),
  t("April {year}"),
  t("May {year}"),
  t("June {year}"),
  t("July {year}"),
  t("August {year}"),
  t("September {year}"),
  t("October {year}"),
  t("November {year}"),
  t("December {year}"),
];

/**
 * Merges rows; the newer state of a chat replaces the older one.
 * @param {ReadonlyMap<string, ChatRow>} rows @param {Iterable<ChatRow>} others
 */
export function merged(rows, others) {
  const next = new Map(rows);
  for (const row of others) next.set(row.id, { ...next.get(row.id), ...row });
  return next;
}

/** The time of what is asked now: after these rows, also where the clock is behind the server's.
 * @param {Iterable<ChatRow>} rows @param {Date} [now] */
export function timeAfter(rows, now = new Date()) {
  const known = Array.from(rows, (row) => Date.parse(row.updated_at) + 1);
  return new Date(Math.max(Number(now), ...known)).toISOString();
}

/**
 * The groups of the list: pinned rows, then the days of the last question, newest first.
 * @param {ReadonlyMap<string, ChatRow>} rows
 * @param {Date} now
 * @returns {{name: string, rows: ChatRow[]}[]}
 */
export function groups(rows, now) {
  /** @type {Map<string, ChatRow[]>} */
  const found = new Map();
  const today = midnight(now);
  const newest = [...rows.values()].sort((a, b) => order(b.updated_at, a.updated_at) || order(a.id, b.id));
  for (const row of [...newest.filter(({ pinned }) => pinned), ...newest.filter(({ pinned }) => !pinned)]) {
    const name = row.pinned ? t("Pinned") : nameOf(new Date(row.updated_at), today);
    const group = found.get(name);
    if (group) group.push(row);
    else found.set(name, [row]);
  }
  return [...found].map(([name, group]) => ({ name, rows: group }));
}

/** @param {string} a @param {string} b */
const order = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

/** @param {Date} date @param {number} today its first moment */
function nameOf(date, today) {
  const passed = Math.round((today - midnight(date)) / DAY); // a day of 23 or 25 hours is one
  if (passed < 1) return t("Today");
  if (passed < 2) return t("Yesterday");
  if (passed < WEEK) return t("Last 7 days");
  if (passed < MONTH) return t("Last 30 days");
  return MONTHS[date.getMonth()].replace("{year}", String(date.getFullYear()));
}

/** @param {Date} date */
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
