/** A replay: it keeps the recorded pace, can be paused, stepped and sought, and folds events as a chat does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Playback } from "../../static/chat/replay/playback.js";
import { statesOf } from "../../static/chat/replay/player.js";
import { recorded } from "../../static/chat/replay/recorded.js";

/** A playback of these moments whose clock and frames the test moves. @param {number[]} moments */
function rig(moments) {
  /** @type {[count: number, now: number][]} */
  const shown = [];
  /** @type {(() => void)[]} */
  let frames = [];
  let time = 5000;
  const playback = new Playback(moments, {
    clock: { now: () => time },
    frame(call) {
      frames.push(call);
      return () => {
        frames = frames.filter((other) => other !== call);
      };
    },
    show: (count, now) => void shown.push([count, now]),
  });
  return {
    playback,
    get last() {
      return shown[shown.length - 1];
    },
    get frames() {
      return frames.length;
    },
    /** @param {number} ms */
    pass(ms) {
      time += ms;
      const due = frames;
      frames = [];
      for (const call of due) call();
    },
  };
}

test("events come at their recorded pace", () => {
  const run = rig([0, 100, 250]);
  run.playback.play();
  assert.deepEqual(run.last, [1, 0]);
  run.pass(99);
  assert.deepEqual(run.last, [1, 99]);
  run.pass(1);
  assert.deepEqual(run.last, [2, 100]);
  run.pass(1000);
  assert.deepEqual(run.last, [3, 250]);
  assert.equal(run.playback.isPlaying, false);
  assert.equal(run.frames, 0);
});

test("twice as fast, and half as fast from where it is", () => {
  const run = rig([0, 100, 1000]);
  run.playback.speed = 2;
  run.playback.play();
  run.pass(50);
  assert.deepEqual(run.last, [2, 100]);
  run.playback.speed = 0.5;
  run.pass(100);
  assert.deepEqual(run.last, [2, 150]);
});

test("a pause stands still, and it goes on from there", () => {
  const run = rig([0, 100]);
  run.playback.play();
  run.pass(40);
  run.playback.pause();
  run.pass(500);
  assert.deepEqual(run.last, [1, 40]);
  run.playback.play();
  run.pass(10);
  assert.deepEqual(run.last, [1, 50]);
});

test("steps go from event to event and stop at both ends", () => {
  const run = rig([5, 100, 250]);
  run.playback.seek(0);
  const seen = [];
  for (const by of /** @type {(1 | -1)[]} */ ([1, 1, 1, 1, -1, -1, -1])) {
    run.playback.step(by);
    seen.push(run.last[1]);
  }
  assert.deepEqual(seen, [5, 100, 250, 250, 100, 5, 5]);
});

test("it is sought within its bounds, and played again from its end", () => {
  const run = rig([0, 100]);
  run.playback.seek(1e9);
  assert.deepEqual(run.last, [2, 100]);
  run.playback.seek(-1);
  assert.deepEqual(run.last, [1, 0]);
  run.playback.seek(100);
  run.playback.play();
  assert.deepEqual(run.last, [1, 0]);
});

test("a recording of nothing stays still", () => {
  const run = rig([]);
  run.playback.play();
  run.pass(1);
  run.playback.step(1);
  assert.deepEqual(run.last, [0, 0]);
});

test("what stands there after each event is what a chat would show", () => {
  const says = (/** @type {string} */ text) => ({ candidates: [{ content: { parts: [{ text }] } }] });
  const states = statesOf([
    { at: 0, response: says("OK") },
    { at: 10, response: says("Hel") },
    { at: 20, response: says("lo") },
    { at: 30, response: { error: { code: 503, status: "UNAVAILABLE", message: "Gone." } } },
  ]);
  assert.deepEqual(
    states.map(({ text }) => text),
    ["", "", "Hel", "Hello", "Hello"],
  );
  assert.equal(states[4].status, "failed");
});

test("events of one moment are stepped over together, forth and back", () => {
  const run = rig([0, 100, 100, 100, 250]);
  run.playback.seek(0);
  const counts = [];
  for (const by of /** @type {(1 | -1)[]} */ ([1, 1, 1, -1, -1, -1])) {
    run.playback.step(by);
    counts.push(run.last[0]);
  }
  assert.deepEqual(counts, [4, 5, 5, 4, 1, 1]);
});

test("a body with times is played with them, without its end and whatever has no place in the stream", () => {
  const ok = { candidates: [{ content: { parts: [{ text: "OK" }] } }] };
  const events = recorded(
    `retry: 1000\n\n: t=0\nid: 01a21980-565c-7897-839d-deb3cc4af050:0\ndata: ${JSON.stringify(ok)}\n\n: t=120\nid: 01a21980-565c-7897-839d-deb3cc4af050:1\ndata: {"candidates":[]}\n\n` +
      `: t=1340\nid: 01a21980-565c-7897-839d-deb3cc4af050:2\ndata: {"x":": t=9"}\n\n:\n\ndata: {"error":{}}\n\ndata: [DONE]\n\n`,
  );
  assert.deepEqual(events, [
    { at: 0, response: ok },
    { at: 120, response: { candidates: [] } },
    { at: 1340, response: { x: ": t=9" } },
  ]);
});
