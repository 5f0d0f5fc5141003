import assert from "node:assert/strict";
import { test } from "node:test";
import { Throttle } from "../../static/chat/throttle.js";
import { FakeClock } from "./clock.js";

function throttled() {
  const clock = new FakeClock();
  /** @type {number[]} */
  const calls = [];
  const throttle = new Throttle(clock, 1000, () => calls.push(clock.now()));
  return { clock, calls, throttle, start: clock.now() };
}

test("the first request is a call at once", () => {
  const { calls, throttle, start } = throttled();
  throttle.request();
  assert.deepEqual(calls, [start]);
});

test("requests within the interval are one call when it is over", async () => {
  const { clock, calls, throttle, start } = throttled();
  throttle.request();
  await clock.pass(400);
  throttle.request();
  await clock.pass(400);
  throttle.request();
  await clock.pass(199);
  assert.deepEqual(calls, [start]);
  await clock.pass(1);
  assert.deepEqual(calls, [start, start + 1000]);
  await clock.pass(10_000);
  assert.equal(calls.length, 2);
});

test("a request after the interval is a call at once, and one within the next waits again", async () => {
  const { clock, calls, throttle, start } = throttled();
  throttle.request();
  await clock.pass(1500);
  throttle.request();
  await clock.pass(500);
  throttle.request();
  await clock.pass(500);
  assert.deepEqual(calls, [start, start + 1500, start + 2500]);
});
