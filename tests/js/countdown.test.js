import assert from "node:assert/strict";
import { test } from "node:test";
import { Countdown } from "../../static/chat/countdown.js";
import { message } from "../../static/chat/message.js";
import { FakeClock } from "./clock.js";

const SAID = "It takes no more for now. Try again in 3 s, or choose another model.";

/** An article with the one part that is needed, and its sentences. */
function article() {
  const said = /** @type {string[]} */ ([]);
  const place = {
    set textContent(/** @type {string} */ text) {
      said.push(text);
    },
  };
  const element = { isConnected: true, isEarly: false, querySelector: () => place, toggleAttribute };
  function toggleAttribute(/** @type {string} */ _, /** @type {boolean} */ on) {
    element.isEarly = on;
  }
  return { element: /** @type {any} */ (element), said };
}

/** @param {Partial<Message>} fields */
const failed = (fields) =>
  message({ status: "failed", error: { code: 503, status: "UNAVAILABLE", message: SAID }, ...fields });

/** @param {number} heard */
const heardAt = (heard) => failed({ times: { ...message({}).times, heard } });

const left = (/** @type {number[]} */ ...seconds) =>
  seconds.map((each) => SAID.replace(" in 3 s", each ? ` in ${each} s` : ""));

test("the seconds of a failed answer are counted down from its end, until it can be tried again", async () => {
  const clock = new FakeClock();
  const { element, said } = article();
  await clock.pass(10_000);
  new Countdown(clock).show(element, heardAt(9_500));
  assert.equal(element.isEarly, true);
  await clock.pass(60_000);
  assert.deepEqual(said, left(3, 2, 1, 0));
  assert.equal(element.isEarly, false);
});

test("an answer that is shown anew is counted once, and one that has left the page no more", async () => {
  const clock = new FakeClock();
  const { element, said } = article();
  const countdown = new Countdown(clock);
  countdown.show(element, heardAt(0));
  countdown.show(element, heardAt(0));
  await clock.pass(1_000);
  assert.deepEqual(said, left(3, 3, 2));
  element.isConnected = false;
  await clock.pass(60_000);
  assert.deepEqual(said, left(3, 3, 2, 1));
});

test("a stored answer is counted from when the server ended it", async () => {
  const clock = new FakeClock();
  const began = "2026-11-27T12:00:00Z";
  const times = { ...message({}).times, total: 2_000 };
  for (const [passed, seconds] of /** @type {const} */ ([
    [4_000, 1],
    [100_000, 0],
  ])) {
    const { element, said } = article();
    new Countdown(clock, () => Date.parse(began) + passed).show(
      element,
      failed({ times, facts: { created_at: began } }),
    );
    assert.deepEqual(said, left(seconds));
  }
});
