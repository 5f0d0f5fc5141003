import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as events from "../../static/chat/events.js";

const python = readFileSync(new URL("../../chat/protocol/events.py", import.meta.url), "utf8");

test("the page and the server have the same words", () => {
  assert.ok(python.includes(`OK_DATA = '${events.OK_DATA}'`));
  assert.ok(python.includes(`DONE = "${events.DONE}"`));
  assert.ok(python.includes(`RUNNING = "${events.RUNNING}"`));
  const words = (/** @type {string} */ line) => [...line.matchAll(/"([a-z]+)"/g)].map((found) => found[1]);
  const line = (/** @type {string} */ start) => python.split("\n").find((text) => text.startsWith(start)) ?? "";
  assert.deepEqual(words(line("COMPLETE, STOPPED")), events.ENDS);
  assert.deepEqual(words(line("WAITING, READING")), events.NOTICES);
  assert.ok(python.includes(`SNAPSHOT = "${events.SNAPSHOT}"`));
  assert.ok(python.includes(`PICKED_UP, SUPERSEDED_FROM = "${events.PICKED_UP}", "${events.SUPERSEDED_FROM}"`));
});

test("an answer's text is that of its parts, with thoughts beside it", () => {
  const parts = [{ text: "a" }, { text: "hidden", thought: true }, { text: "b" }, {}];
  assert.deepEqual(events.contentOf(parts), { text: "ab", thoughts: "hidden", pictures: [] });
});

test("each end is known by its last event, and nothing else is an end", () => {
  assert.equal(events.endOf({ candidates: [{ finishReason: "STOP" }] }), "complete");
  assert.equal(events.endOf({ candidates: [{ finishReason: "OTHER" }], wondercam: { end: "stopped" } }), "stopped");
  const error = { code: 503, status: "ABORTED", message: "gone" };
  assert.equal(events.endOf({ error, wondercam: { end: "interrupted" } }), "interrupted");
  assert.equal(events.endOf({ error }), "failed");
  assert.equal(events.endOf({ candidates: [{ content: { parts: [{ text: "x" }] } }] }), null);
  assert.equal(events.endOf({ wondercam: { end: "exploded" } }), null);
});

test("that a turn was picked up again is said like a notice, whatever else is new in that field", () => {
  assert.equal(events.noticeOf({ wondercam: { picked_up: { message: "Picked up again." } } }), "Picked up again.");
  assert.equal(events.beginsAnew({ wondercam: { picked_up: { message: "" } } }), false);
  assert.equal(events.beginsAnew({ wondercam: { superseded_from: 1 } }), true);
  assert.equal(events.beginsAnew({ candidates: [] }), false);
});

test("only notices of a known kind are shown", () => {
  assert.equal(
    events.noticeOf({ wondercam: { notice: { kind: "waiting", message: "Two before you." } } }),
    "Two before you.",
  );
  assert.equal(events.noticeOf({ wondercam: { notice: { kind: "execute", message: "alert(1)" } } }), "");
});

test("a cursor is a stream and a number, and nothing else", () => {
  const stream = "0b9c1b3e-1f5a-4a51-9d28-5a5c8f3a1c11";
  assert.deepEqual(events.cursorOf(`${stream}:12`), { stream, seq: 12 });
  for (const wrong of [undefined, "", ":1", `${stream}:`, `${stream}:-1`, `${stream}:1e3`, `x:${1}`, `${stream}:1\n`]) {
    assert.equal(events.cursorOf(wrong), null, String(wrong));
  }
});
