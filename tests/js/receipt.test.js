/** A turn's receipt: what is noted, when it is sent, and when it is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Receipt } from "../../static/chat/receipt.js";

const NAMES = { stream: "s", conversation: "c", question: "q", answer: "a" };

/** A receipt whose clock and frames the test moves. */
function rig() {
  /** @type {{path: string, method?: string, keepalive?: boolean, body: any}[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const frames = [];
  /** @type {{delay: number, call: () => void}[]} */
  const timers = [];
  /** @type {unknown[]} */
  const heard = [];
  let now = 1000;
  /** @type {Listener} */
  const tell = {
    accepted: (...said) => void heard.push(["accepted", ...said]),
    received: (...said) => void heard.push(["received", ...said]),
    line: (...said) => void heard.push(["line", ...said]),
    ended: (...said) => void heard.push(["ended", ...said]),
  };
  /** @type {Requester} */
  const session = {
    async request(path, options) {
      sent.push({
        path,
        method: options?.method,
        keepalive: options?.keepalive,
        body: JSON.parse(String(options?.body)),
      });
      return new Response();
    },
  };
  /** @type {Clock} */
  const clock = {
    now: () => now,
    after(delay, call) {
      timers.push({ delay, call });
      return () => {};
    },
  };
  /** @type {(duration: number) => void} */
  let busy = () => {};
  /** @param {(duration: number) => void} add */
  const longTasks = (add) => {
    busy = add;
    return () => {};
  };
  const receipt = new Receipt({ session, clock, afterPaint: (call) => void frames.push(call), longTasks });
  return {
    sent,
    timers,
    heard,
    /** @param {number} duration */
    busy: (duration) => busy(duration),
    /** @param {number} duration */
    pass: (duration) => {
      now += duration;
    },
    paint: () => {
      for (const call of frames.splice(0)) call();
    },
    listener: receipt.listening(tell),
  };
}

test("events carry when they arrived and when the frame after them was painted", () => {
  const { listener, pass, paint, sent, busy } = rig();
  listener.accepted(NAMES);
  pass(20);
  listener.received(0, {});
  pass(4);
  listener.received(1, {});
  pass(10);
  paint();
  pass(16);
  listener.received(2, {});
  busy(60.4);
  listener.ended("complete", null);
  assert.equal(sent.length, 0);
  pass(8);
  paint();
  assert.equal(sent.length, 1);
  assert.deepEqual(
    [sent[0].path, sent[0].method, sent[0].keepalive, sent[0].body.events, sent[0].body.busy_ms],
    [
      "/v2/streams/s/receipt",
      "POST",
      true,
      [
        [0, 20, 34],
        [1, 24, 34],
        [2, 50, 58],
      ],
      60,
    ],
  );
});

test("what nobody looks at is sent without its frame, and once", () => {
  const { listener, timers, paint, sent } = rig();
  listener.accepted(NAMES);
  listener.received(0, {});
  listener.ended("complete", null);
  assert.equal(timers[0].delay, 1000);
  timers[0].call();
  paint();
  assert.deepEqual(
    sent.map(({ body }) => body.events),
    [[[0, 0, null]]],
  );
});

test("a stream that was only followed has no beginning here, and no receipt", () => {
  const { listener, timers, paint, sent } = rig();
  listener.received(7, {});
  listener.ended("complete", null);
  paint();
  for (const { call } of timers) call();
  assert.equal(sent.length, 0);
});

test("all that is heard is told", () => {
  const { listener, heard } = rig();
  listener.accepted(NAMES);
  listener.received(0, { modelVersion: "m" });
  listener.line("Held");
  listener.ended("failed", { code: 503, status: "UNAVAILABLE", message: "no" });
  assert.deepEqual(heard, [
    ["accepted", NAMES],
    ["received", 0, { modelVersion: "m" }],
    ["line", "Held"],
    ["ended", "failed", { code: 503, status: "UNAVAILABLE", message: "no" }],
  ]);
});

test("a long turn is cut to what the server takes, and is not kept alive", () => {
  const { listener, paint, sent } = rig();
  listener.accepted(NAMES);
  for (let seq = 0; seq < 6000; seq += 1) listener.received(seq, {});
  listener.ended("complete", null);
  paint();
  assert.equal(sent[0].body.events.length, 5000);
  assert.equal(sent[0].keepalive, false);
});
