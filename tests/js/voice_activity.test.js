import assert from "node:assert/strict";
import { test } from "node:test";
import { VoiceActivity } from "../../static/chat/voice/voice_activity.js";

const STEP = 20;

/**
 * What is told of sound in steps of 20 ms, each with its time.
 * @param {[number, number][]} sounds level and duration in ms
 */
function heard(sounds, margin = 1) {
  const activity = new VoiceActivity();
  /** @type {[string, number][]} */
  const told = [];
  let now = 0;
  for (const [level, duration] of sounds) {
    for (let passed = 0; passed < duration; passed += STEP) {
      now += STEP;
      const said = activity.hear(level * (1 + 0.2 * Math.sin(now)), STEP, margin);
      if (said) told.push([said, now]);
    }
  }
  return told;
}

test("speech in a quiet room begins within 200 ms and ends after less than a second of silence", () => {
  const [[began, at], [ended, until]] = heard([
    [0.002, 1000],
    [0.1, 1500],
    [0.002, 2000],
  ]);
  assert.deepEqual([began, ended], ["began", "ended"]);
  assert.ok(at > 1000 && at <= 1200, String(at));
  assert.ok(until > 3000 && until < 3500, String(until));
});

test("a steady noise is no speech, however loud, and speech over it is", () => {
  assert.deepEqual(heard([[0.05, 5000]]), []);
  const told = heard([
    [0.05, 3000],
    [0.4, 1000],
    [0.05, 2000],
  ]);
  assert.deepEqual(
    told.map(([said]) => said),
    ["began", "ended"],
  );
});

test("a click is no speech, and a pause within a sentence no end", () => {
  assert.deepEqual(
    heard([
      [0.002, 500],
      [0.5, 60],
      [0.002, 1000],
    ]),
    [],
  );
  const told = heard([
    [0.002, 500],
    [0.1, 500],
    [0.002, 500],
    [0.1, 500],
    [0.002, 1500],
  ]);
  assert.equal(told.length, 2);
});

test("while our own voice is heard, speech must be louder", () => {
  /** @type {[number, number][]} */
  const echo = [
    [0.002, 500],
    [0.03, 1000],
  ];
  assert.equal(heard(echo).length, 1);
  assert.deepEqual(heard(echo, 4), []);
  assert.equal(heard([...echo, [0.3, 500]], 4).length, 1);
});
