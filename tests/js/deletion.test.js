import assert from "node:assert/strict";
import { test } from "node:test";
import { Deletion, UNDO } from "../../static/chat/deletion.js";
import { FakeClock, settled } from "./clock.js";

const ROW = { id: "a", title: "Sky", pinned: false, updated_at: "2026-11-26T09:00:00Z" };

/** A list with a server that answers deletions with this status. */
function set({ status = 204, kept = "" } = {}) {
  const clock = new FakeClock();
  /** @type {string[]} */
  const sent = [];
  /** @type {(string | null)[]} */
  const waits = [];
  /** @type {string[]} */
  const back = [];
  /** @type {string[]} */
  const problems = [];
  const items = new Map(kept ? [["deleting", kept]] : []);
  const storage = /** @type {any} */ ({
    getItem: (/** @type {string} */ name) => items.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => items.set(name, value),
    removeItem: (/** @type {string} */ name) => items.delete(name),
  });
  const session = {
    async request(/** @type {string} */ path, /** @type {RequestInit} */ { method, keepalive } = {}) {
      sent.push(`${method} ${path}${keepalive ? " keepalive" : ""}`);
      if (!status) throw new Error("The server cannot be reached.");
      return new Response(null, { status });
    },
  };
  const deletion = new Deletion({
    session,
    clock,
    storage,
    told: {
      waits: (row) => waits.push(row?.id ?? null),
      back: (row) => back.push(row.id),
      problem: (sentence) => problems.push(sentence),
    },
  });
  return { clock, sent, waits, back, problems, items, deletion };
}

const GONE = "DELETE /v2/conversations/a keepalive";

test("a chat is deleted when it can no longer be undone", async () => {
  const { clock, deletion, items, sent, waits } = set();
  deletion.start(ROW);
  await clock.pass(UNDO - 1);
  assert.deepEqual([sent, waits, [...items.values()]], [[], ["a"], ["a"]]);
  await clock.pass(1);
  assert.deepEqual([sent, waits, [...items.values()]], [[GONE], ["a", null], []]);
});

test("undone in time, it is back and never deleted", async () => {
  const { back, clock, deletion, items, sent } = set();
  deletion.start(ROW);
  deletion.undo();
  await clock.pass(2 * UNDO);
  deletion.finish();
  assert.deepEqual([sent, back, items.size], [[], ["a"], 0]);
});

test("a second deletion makes the first one, which can no longer be undone", async () => {
  const { back, deletion, sent, items } = set();
  deletion.start(ROW);
  deletion.start({ ...ROW, id: "b" });
  await settled();
  assert.deepEqual([sent, [...items.values()]], [[GONE], ["b"]]);
  deletion.undo();
  assert.deepEqual(back, ["b"]);
});

test("with the page the deletion is made, and only once", async () => {
  const { clock, deletion, sent } = set();
  deletion.start(ROW);
  deletion.finish();
  await clock.pass(2 * UNDO);
  assert.deepEqual(sent, [GONE]);
});

test("what an earlier page of the tab could not finish is deleted by the next one", async () => {
  const { deletion, items, sent } = set({ kept: "a", status: 404 });
  assert.equal(deletion.resume(), "a");
  await settled();
  assert.deepEqual([sent, items.size], [[GONE], 0]);
});

test("a chat that cannot be deleted is back, with the reason", async () => {
  for (const status of [503, 0]) {
    const { back, deletion, items, problems } = set({ status });
    deletion.start(ROW);
    deletion.finish();
    await settled();
    assert.deepEqual([back, problems.length, items.size], [["a"], 1, 0]);
  }
});
