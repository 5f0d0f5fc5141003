import assert from "node:assert/strict";
import { test } from "node:test";
import { SoundRecorder } from "../../static/chat/voice/recorder.js";
import { RATE } from "../../static/chat/voice/sound_file.js";
import { settled } from "./clock.js";
import { talking } from "./voices.js";

globalThis.window ??= /** @type {any} */ (globalThis);

const SPEECH = Float32Array.from({ length: RATE }, (_, at) => (at < RATE / 2 ? 0 : 0.3 * Math.sin(at)));

/** Records on demand. @param {{hears?: Hearing, refuses?: string, decoded?: Float32Array | null, hasRecognizer?: boolean,
 * isExclusive?: boolean}} [how] */
function recording({
  hears = "model",
  refuses = "",
  decoded = SPEECH,
  hasRecognizer = false,
  isExclusive = false,
} = {}) {
  /** @type {FakeMediaRecorder[]} */
  const made = [];
  class FakeMediaRecorder {
    state = "inactive";
    ondataavailable = (/** @type {any} */ _event) => {};
    onstop = () => {};
    constructor() {
      made.push(this);
    }
    start() {
      this.state = "recording";
    }
    stop() {
      this.state = "inactive";
      this.ondataavailable({ data: new Blob(["sound"]) });
      this.onstop();
    }
  }
  const told = talking({
    refuses,
    hasRecognizer,
    isExclusive,
    wishes: { isAllowed: hasRecognizer },
    recorder: (microphone) =>
      new SoundRecorder({
        microphone,
        Recorder: /** @type {any} */ (FakeMediaRecorder),
        hears: () => hears,
        decode: async () => {
          if (!decoded) throw new Error("no sound");
          return /** @type {any} */ ({ numberOfChannels: 1, length: decoded.length, getChannelData: () => decoded });
        },
      }),
  });
  return { ...told, made };
}

/** What follows the end of a recording. */
async function heard() {
  for (let each = 0; each < 10; each += 1) await settled();
}

test("without a recogniser a press records, the end of speech sends the sound, and the microphone is closed at once", async () => {
  const { press, told, talk, microphone, made } = recording();
  await press();
  assert.equal(talk.state, "listening");
  assert.deepEqual(told.consents, []); // it goes where typed words go
  microphone.sounds(0.002, 500);
  microphone.sounds(0.2, 1000);
  microphone.sounds(0.002, 1000);
  assert.equal(made[0].state, "inactive");
  assert.equal(microphone.isOpen, false);
  assert.equal(told.spoke, 1); // the camera's frame is of this moment
  await heard();
  assert.deepEqual(told.asked, [""]);
  assert.equal(told.sounds[0].type, "audio/wav");
  assert.equal(talk.state, "off");
});

test("a button that is held records until it is let go", async () => {
  const { press, told, talk, microphone } = recording();
  await press({ isHeld: true });
  microphone.sounds(0.2, 1000);
  microphone.sounds(0.002, 5000);
  assert.equal(talk.state, "listening");
  talk.release();
  await heard();
  assert.equal(told.sounds.length, 1);
});

test("nothing is sent where nobody spoke, and that is said", async () => {
  const { press, told, talk } = recording({ decoded: new Float32Array(RATE) });
  await press();
  await press();
  await heard();
  assert.deepEqual(told.asked, []);
  assert.match(told.problems[0], /Nothing was understood/);
  assert.equal(told.unasked, 1);
  assert.equal(talk.state, "off");
});

test("what was recorded is gone when it is broken off, and its microphone is closed", async () => {
  const { press, told, talk, microphone, made } = recording();
  await press();
  talk.end();
  await heard();
  assert.deepEqual([told.asked, told.problems, made[0].state, microphone.isOpen], [[], [], "inactive", false]);
  await press();
  void talk.press();
  talk.end(); // while it is being decoded
  await heard();
  assert.deepEqual(told.asked, []);
});

test("with hands free the microphone stays open, and the next question is recorded after the answer", async () => {
  const { press, told, talk, microphone, made, remembered } = recording();
  remembered.change({ isHandsFree: true });
  await press();
  await press();
  await heard();
  assert.deepEqual([talk.state, microphone.isOpen, told.asked.length], ["waiting", true, 1]);
  talk.resume();
  assert.equal(made.length, 2);
  assert.equal(made[1].state, "recording");
  talk.end();
  assert.equal(microphone.isOpen, false);
});

test("a microphone that may not be used, is not there or is in use is told", async () => {
  for (const [refuses, sentence] of [
    ["NotAllowedError", /may not use the microphone/],
    ["NotFoundError", /No microphone was found/],
    ["NotReadableError", /Close what else uses it/],
  ]) {
    const { press, told, talk, made } = recording({ refuses: String(refuses) });
    await press();
    assert.match(told.problems[0], /** @type {RegExp} */ (sentence));
    assert.deepEqual([talk.state, made.length], ["off", 0]);
  }
});

test("a recording that cannot be read is told", async () => {
  const { press, told } = recording({ decoded: null });
  await press();
  await press();
  await heard();
  assert.match(told.problems[0], /microphone cannot be used/);
});

test("where the model does not hear the page says what is left", async () => {
  const nobody = recording({ hears: "none" });
  await nobody.press();
  assert.match(nobody.told.problems[0], /cannot turn speech into text\. Type your question/);
  const another = recording({ hears: "another" });
  await another.press();
  assert.match(another.told.problems[0], /this model cannot hear\. Choose one that can/);
  assert.deepEqual([nobody.made.length, another.made.length, another.microphone.isOpen], [0, 0, false]);
});

test("once the browser's service turned out to be away, the next try is sent as sound, on a phone too", async () => {
  for (const error of ["network", "service-not-allowed", "language-not-supported"]) {
    const { press, told, talk, microphone, recognisers, made } = recording({ hasRecognizer: true, isExclusive: true });
    await press();
    assert.equal(made.length, 0); // the recogniser comes first
    recognisers[0].fails(error);
    await heard();
    assert.match(told.problems[0], /Say it again: it is sent to the model as sound/);
    assert.equal(talk.state, "off");
    await press();
    assert.deepEqual([made.length, recognisers.length, microphone.isOpen], [1, 1, true]);
    await press();
    await heard();
    assert.equal(told.sounds.length, 1);
  }
});

test("where no model hears, the browser's own reason is said, and its recogniser is tried again", async () => {
  const { press, told, recognisers, made } = recording({ hasRecognizer: true, hears: "another" });
  await press();
  recognisers[0].fails("network");
  await heard();
  assert.match(told.problems[0], /speech service cannot be reached/);
  await press();
  assert.deepEqual([made.length, recognisers.length], [0, 2]);
});

test("nobody's silence and no refused microphone make the browser's service be given up", async () => {
  for (const error of ["no-speech", "not-allowed"]) {
    const { press, recognisers } = recording({ hasRecognizer: true });
    await press();
    recognisers[0].fails(error);
    await heard();
    await press();
    assert.equal(recognisers.length, 2);
  }
});
