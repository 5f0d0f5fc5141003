import assert from "node:assert/strict";
import { test } from "node:test";
import { branch } from "../../static/chat/stored.js";
import { apply, message } from "../../static/chat/transcript.js";

/** @param {string} id @param {string | null} parent @param {string} text @returns {Stored} */
const asked = (id, parent, text) => ({ id, parent_id: parent, role: "user", parts: [{ text }], stream: null });
/** @param {string} id @param {string} parent @param {string} text @param {"complete" | "running"} status @returns {Stored} */
const answered = (id, parent, text, status = "complete") => ({
  id,
  parent_id: parent,
  role: "model",
  parts: [{ text: "hm", thought: true }, { text }],
  stream: { id: `s-${id}`, status, model: "m", last_seq: 7, error: null },
});
const STORED = [
  asked("1", null, "Why?"),
  answered("2", "1", "Old."),
  answered("3", "1", "New."),
  asked("4", "3", "And?"),
];

test("the branch is that of the newest message, without the versions beside it", () => {
  const found = branch([...STORED, answered("5", "4", "Half", "running")]);
  assert.deepEqual(
    found.map(({ id, text, status, seq }) => [id, text, status, seq]),
    [
      ["1", "Why?", "sent", -1],
      ["3", "New.", "complete", 7],
      ["4", "And?", "sent", -1],
      ["5", "", "running", -1],
    ],
  );
});

test("what the page holds already stays the same object, whatever key it has", () => {
  const question = message({ key: "k?", role: "user", text: "Why?", status: "sent" });
  const answer = message({ key: "k", stream: "s-3", text: "New.", status: "complete", seq: 7 });
  const messages = branch([...STORED, answered("5", "4", "", "running")]);
  const next = apply([question, answer], { type: "stored", messages });
  assert.equal(next.length, 4);
  assert.equal(next[0], question);
  assert.equal(next[1], answer);
  assert.deepEqual([next[2].text, next[3].stream], ["And?", "s-5"]);
});

test("an empty conversation is an empty branch", () => assert.deepEqual(branch([]), []));
