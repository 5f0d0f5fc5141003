import assert from "node:assert/strict";
import { test } from "node:test";
import { groups, merged, timeAfter } from "../../static/chat/chats.js";

const NOW = new Date(2026, 10, 26, 9, 30);

/** A chat last asked in so many days before now, at an hour. @param {string} id @param {number} days @param {number} [hour] */
const row = (id, days, hour = 8) => ({
  id,
  title: id,
  pinned: false,
  updated_at: new Date(2026, 10, 26 - days, hour).toISOString(),
});

/** @param {ChatRow[]} rows */
const listed = (rows) =>
  groups(merged(new Map(), rows), NOW).map(({ name, rows: found }) => [name, ...found.map(({ id }) => id)]);

test("chats stand by the day of their last question, newest first", () => {
  assert.deepEqual(
    listed([row("f", 300), row("a", 0), row("e", 29), row("c", 2), row("b", 1), row("d", 7), row("g", 300, 7)]),
    [
      ["Today", "a"],
      ["Yesterday", "b"],
      ["Last 7 days", "c"],
      ["Last 30 days", "d", "e"],
      ["January 2026", "f", "g"],
    ],
  );
});

test("a day is the reader's own day, not 24 hours", () => {
  assert.deepEqual(listed([row("late", 1, 23), row("early", 0, 0)]), [
    ["Today", "early"],
    ["Yesterday", "late"],
  ]);
});

test("a clock that is ahead of the reader's is today", () => {
  assert.deepEqual(listed([row("a", -1)]), [["Today", "a"]]);
});

test("pinned chats come first, whatever their day", () => {
  assert.deepEqual(listed([row("a", 0), { ...row("old", 90), pinned: true }]), [
    ["Pinned", "old"],
    ["Today", "a"],
  ]);
});

test("no data of Intl is loaded for the names of days and months", () => {
  const { Intl: own } = globalThis;
  const { localeCompare } = String.prototype;
  const used = () => assert.fail("it takes longer than all modules of the page");
  globalThis.Intl = /** @type {typeof Intl} */ (new Proxy({}, { get: used }));
  String.prototype.localeCompare = used;
  try {
    const names = listed([0, 1, 3, 20, 300, 355].map((days) => row(String(days), days))).map(([name]) => name);
    assert.deepEqual(names, ["Today", "Yesterday", "Last 7 days", "Last 30 days", "January 2026", "December 2025"]);
  } finally {
    globalThis.Intl = own;
    String.prototype.localeCompare = localeCompare;
  }
});

test("what is known newer of a chat takes the place of the older, and the rest stays", () => {
  const rows = merged(new Map(), [row("a", 1), row("b", 2)]);
  const next = merged(rows, [{ ...row("b", 0), title: "B", running: true }]);
  assert.deepEqual(
    [next.get("a"), next.get("b")?.title, next.get("b")?.running, rows.get("b")?.title],
    [rows.get("a"), "B", true, "b"],
  );
});

test("what is asked now is the newest, also where this machine's clock is hours behind", () => {
  const rows = [row("a", 0), row("b", 2)];
  const behind = new Date(2026, 10, 26, 3);
  assert.deepEqual(listed([...rows, { ...row("now", 9), updated_at: timeAfter(rows, behind) }])[0], [
    "Today",
    "now",
    "a",
  ]);
  assert.equal(timeAfter(rows, NOW), NOW.toISOString());
  assert.equal(timeAfter([], NOW), NOW.toISOString());
});
