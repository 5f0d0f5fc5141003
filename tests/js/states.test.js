import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, TRANSITIONS, transition } from "../../static/chat/states.js";

test("only the transitions of the table are legal", () => {
  const states = /** @type {State[]} */ (Object.keys(TRANSITIONS));
  for (const from of states) {
    for (const to of states) {
      if (TRANSITIONS[from].includes(to)) assert.equal(transition(from, to), to);
      else assert.throws(() => transition(from, to), new RegExp(`from ${from} to ${to}`));
    }
  }
  assert.deepEqual(TRANSITIONS.ended, []);
});

test("every state but idle can be reached, and from every state there is a way to the end", () => {
  const reach = (/** @type {State} */ from, seen = new Set([from])) => {
    for (const to of TRANSITIONS[from]) if (!seen.has(to)) reach(to, seen.add(to));
    return seen;
  };
  assert.equal(reach("idle").size, Object.keys(TRANSITIONS).length);
  for (const from of /** @type {State[]} */ (Object.keys(TRANSITIONS))) assert.ok(reach(from).has("ended"), from);
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
