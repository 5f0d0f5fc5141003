import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../static/chat/voice/recognition.js";
import { settled } from "./clock.js";
import { talking } from "./voices.js";

const QUIET = 0.002;
const SPEECH = 0.2;
const ALOUD = { isAloud: true, isAllowed: true };
const FREE = { ...ALOUD, isHandsFree: true };

test("one press listens, the end of speech asks, and the microphone is closed", async () => {
  const { press, told, talk, microphone, recognisers } = talking();
  await press();
  assert.equal(talk.state, "listening");
  microphone.sounds(QUIET, 500);
  microphone.sounds(SPEECH, 1000);
  recognisers[0].hears("what is", "this");
  assert.equal(told.spoke, 0);
  microphone.sounds(QUIET, 1000);
  assert.equal(told.spoke, 1);
  assert.deepEqual(told.asked, ["what is this"]);
  assert.equal(microphone.isOpen, false);
  assert.equal(talk.state, "off");
});

test("a button that is held listens until it is let go, however long one pauses", async () => {
  const { press, told, talk, microphone, recognisers } = talking();
  await press({ isHeld: true });
  microphone.sounds(QUIET, 300);
  microphone.sounds(SPEECH, 500);
  microphone.sounds(QUIET, 5000);
  assert.deepEqual(told.asked, []);
  recognisers[0].hears("held");
  talk.release();
  assert.deepEqual(told.asked, ["held"]);
});

test("a second press ends what is being said, and asks it", async () => {
  const { press, told, recognisers } = talking();
  await press();
  recognisers[0].hears("enough");
  await press();
  assert.deepEqual(told.asked, ["enough"]);
});

test("on the device nothing is asked for; elsewhere nothing is heard before consent", async () => {
  const local = talking({ available: "available" });
  await local.press();
  assert.deepEqual(local.told.consents, []);
  assert.equal(local.recognisers[0].processLocally, true);

  const refused = talking({ consent: "" });
  await refused.press();
  assert.deepEqual(refused.told.consents, ["maker"]);
  assert.equal(refused.recognisers.length, 0);
  assert.equal(refused.microphone.isOpen, false);

  const downloadable = talking({ available: "downloadable", consent: "device" });
  await downloadable.press();
  assert.deepEqual(downloadable.told.consents, ["download"]);
  assert.equal(downloadable.recognisers[0].processLocally, true);

  const allowed = talking({ wishes: { isAllowed: true } });
  await allowed.press();
  assert.deepEqual(allowed.told.consents, []);
  assert.equal(allowed.recognisers[0].processLocally, false);
});

test("each reason why nothing was understood is said, and silence is no failure of the microphone", async () => {
  for (const [error, sentence] of [
    ["not-allowed", /may not use the microphone/],
    ["network", /cannot be reached/],
    ["no-speech", /Nothing was understood/],
  ]) {
    const { press, told, recognisers, microphone } = talking();
    await press();
    recognisers[0].fails(error);
    await settled();
    assert.match(told.problems[0], /** @type {RegExp} */ (sentence));
    assert.deepEqual(told.asked, []);
    assert.equal(microphone.isOpen, false);
  }
});

test("an answer is read sentence by sentence while it streams, and only where that is wished", () => {
  const { talk, synthesis } = talking({ wishes: ALOUD });
  talk.follow({ key: "a", text: "", status: "sending" });
  talk.follow({ key: "a", text: "It is a cat. It", status: "running" });
  assert.deepEqual(synthesis.texts, ["It is a cat."]);
  talk.follow({ key: "a", text: "It is a cat. It sleeps.", status: "complete" });
  assert.deepEqual(synthesis.texts, ["It is a cat.", "It sleeps."]);
  talk.follow({ key: "a", text: "It is a cat. It sleeps.", status: "complete" });
  assert.equal(synthesis.spoken.length, 2);

  const silent = talking();
  silent.talk.follow({ key: "a", text: "One. Two. ", status: "running" });
  assert.deepEqual(silent.synthesis.texts, []);
});

test("an answer that stood there before is never read", () => {
  const { talk, synthesis } = talking({ wishes: ALOUD });
  talk.follow({ key: "old", text: "Long ago. There was.", status: "complete" });
  assert.deepEqual(synthesis.spoken, []);
});

test("a tap silences the voice and stops the answer at once, and the rest is not read", () => {
  const { talk, told, synthesis } = talking({ wishes: ALOUD });
  told.busy = true;
  talk.follow({ key: "a", text: "One. Two", status: "running" });
  assert.equal(talk.hush(), true);
  assert.equal(talk.isSpeaking, false);
  assert.equal(told.stopped, 1);
  talk.follow({ key: "a", text: "One. Two. Three. ", status: "stopped" });
  assert.deepEqual(synthesis.texts, ["One."]);
  assert.equal(talk.hush(), false);
});

test("with hands free, speaking silences the voice and stops the answer within 300 ms", async () => {
  const { talk, press, told, microphone, recognisers, synthesis } = talking({ wishes: FREE });
  await press();
  recognisers[0].hears("what is this");
  microphone.sounds(QUIET, 300);
  microphone.sounds(SPEECH, 600);
  microphone.sounds(QUIET, 1000);
  assert.deepEqual(told.asked, ["what is this"]);
  assert.equal(talk.state, "waiting");
  told.busy = true;
  talk.follow({ key: "a", text: "It is a cat. And", status: "running" });
  microphone.sounds(QUIET, 2000);
  assert.equal(synthesis.cancelled, 2); // before the question, and before the answer
  const passed = microphone.sounds(SPEECH, 1000, () => !talk.isSpeaking);
  assert.ok(passed <= 300, `${passed} ms`);
  assert.equal(told.stopped, 1);
  assert.equal(talk.state, "listening");
  recognisers[1].hears("no, the other one");
  microphone.sounds(QUIET, 1000);
  assert.deepEqual(told.asked, ["what is this", "no, the other one"]);
});

test("an answer that begins while somebody is listened to is not read, nor is it interrupted", async () => {
  const { talk, press, told, microphone, recognisers, synthesis } = talking({ wishes: FREE });
  await press();
  talk.follow({ key: "elsewhere", text: "Asked on another device. ", status: "running" });
  microphone.sounds(QUIET, 300);
  microphone.sounds(SPEECH, 600);
  talk.follow({ key: "elsewhere", text: "Asked on another device. It is long.", status: "complete" });
  assert.deepEqual(synthesis.spoken, []);
  recognisers[0].hears("what is this");
  microphone.sounds(QUIET, 1000);
  assert.deepEqual(told.asked, ["what is this"]);
  talk.follow({ key: "a", text: "It is a cat. And", status: "running" });
  assert.deepEqual(
    synthesis.spoken.map(({ text }) => text),
    ["It is a cat."],
  );
});

test("with hands free, it is the reader's turn once the voice has ended", async () => {
  const { talk, press, microphone, recognisers, synthesis } = talking({ wishes: FREE });
  await press();
  recognisers[0].hears("what is this");
  recognisers[0].stop();
  talk.follow({ key: "a", text: "", status: "sending" });
  talk.follow({ key: "a", text: "A cat.", status: "complete" });
  assert.equal(talk.state, "waiting");
  synthesis.said(0);
  assert.equal(talk.state, "listening");
  recognisers[1].fails("no-speech");
  assert.equal(talk.state, "waiting");
  assert.ok(microphone.isOpen);
});

test("a phone lends its microphone to the recogniser or to the page, never to both", async () => {
  const { talk, press, told, microphone, recognisers } = talking({ wishes: FREE, isExclusive: true });
  await press();
  assert.equal(microphone.isOpen, false);
  assert.equal(recognisers[0].continuous, false); // the recogniser hears where speech ends
  recognisers[0].hears("what is this");
  recognisers[0].stop();
  assert.deepEqual(told.asked, ["what is this"]);
  assert.equal(talk.state, "waiting");
  assert.ok(microphone.isOpen);
  told.busy = true;
  talk.follow({ key: "a", text: "It is a cat. And", status: "running" });
  microphone.sounds(QUIET, 500);
  const passed = microphone.sounds(SPEECH, 1000, () => !talk.isSpeaking);
  assert.ok(passed <= 300, `${passed} ms`);
  assert.equal(talk.state, "listening");
  assert.equal(microphone.isOpen, false);

  const held = talking({ isExclusive: true });
  await held.press({ isHeld: true });
  assert.equal(held.recognisers[0].continuous, true);
});

test("the end ends everything: the voice, the answer, the listening and the microphone", async () => {
  const { talk, press, told, microphone, recognisers } = talking({ wishes: FREE });
  await press();
  recognisers[0].hears("half a quest");
  assert.equal(talk.end(), true);
  assert.deepEqual(told.asked, []);
  assert.equal(microphone.isOpen, false);
  assert.equal(talk.state, "off");
  assert.equal(talk.end(), false);
});

test("a voice that was chosen reads its own language, at the speed that was chosen", () => {
  const { talk, synthesis } = talking({ wishes: { ...ALOUD, voice: "anna", rate: 1.5 } });
  synthesis.voices.push({ voiceURI: "ken", name: "Ken", lang: "en-US" });
  talk.follow({ key: "a", text: "Hello. ", status: "running" });
  talk.follow({ key: "a", text: "Hello. これは猫です。", status: "complete" });
  assert.deepEqual(
    synthesis.spoken.map(({ lang, rate, voice }) => [lang, rate, voice]),
    [
      ["en", 1.5, null],
      ["ja", 1.5, null],
    ],
  );
});

test("what was understood is one text, also where each piece repeats the ones before it", () => {
  assert.equal(joined(["what is", "this thing"]), "what is this thing");
  assert.equal(joined(["what", "What is", "what is this"]), "what is this");
  assert.equal(joined(["one two", "", "one two three", "four"]), "one two three four");
  assert.equal(joined([]), "");
});
