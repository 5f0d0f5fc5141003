import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, MOVES, move } from "../../static/chat/moves.js";

test("only the moves of the table are legal", () => {
  const states = /** @type {State[]} */ (Object.keys(MOVES));
  for (const from of states) {
    for (const to of states) {
      if (MOVES[from].includes(to)) assert.equal(move(from, to), to);
      else assert.throws(() => move(from, to), new RegExp(`from ${from} to ${to}`));
    }
  }
  assert.deepEqual(MOVES.ended, []);
});

test("every state but idle can be reached, and from every state there is a way to the end", () => {
  const reach = (/** @type {State} */ from, seen = new Set([from])) => {
    for (const to of MOVES[from]) if (!seen.has(to)) reach(to, seen.add(to));
    return seen;
  };
  assert.equal(reach("idle").size, Object.keys(MOVES).length);
  for (const from of /** @type {State[]} */ (Object.keys(MOVES))) assert.ok(reach(from).has("ended"), from);
});

test("back-off is full jitter under a doubling ceiling", () => {
  assert.equal(
    backoff(3, () => 0),
    0,
  );
  assert.equal(
    backoff(1, () => 1),
    500,
  );
  assert.equal(
    backoff(4, () => 1),
    4000,
  );
  assert.equal(
    backoff(40, () => 1),
    15_000,
  );
});
