import assert from "node:assert/strict";
import { test } from "node:test";
import { mono, RATE, spoken, wavOf } from "../../static/chat/voice/sound_file.js";

/** So many seconds of a tone. @param {number} seconds @param {number} level RMS */
const tone = (seconds, level) =>
  Float32Array.from(
    { length: seconds * RATE },
    (_, at) => level * Math.SQRT2 * Math.sin((at * 2 * Math.PI * 200) / RATE),
  );

/** @param {Float32Array[]} pieces */
const joined = (...pieces) => Float32Array.from(pieces.flatMap((piece) => [...piece]));

test("what is sent begins just before speech and ends just after it", () => {
  const said = spoken(joined(tone(3, 0.002), tone(1, 0.2), tone(5, 0.002)));
  assert.equal(said.length / RATE, 1.6);
});

test("a quiet microphone is heard, and a loud room is not taken for speech", () => {
  assert.equal(spoken(joined(tone(1, 0.0005), tone(1, 0.006), tone(1, 0.0005))).length / RATE, 1.6);
  assert.equal(spoken(tone(4, 0.1)).length, 0);
  assert.equal(spoken(tone(4, 0.001)).length, 0);
  assert.equal(spoken(new Float32Array()).length, 0);
});

test("a click is no speech", () => {
  assert.equal(spoken(joined(tone(1, 0.002), tone(0.04, 0.5), tone(1, 0.002))).length, 0);
});

test("words that begin with the recording are whole", () => {
  const said = spoken(joined(tone(0.5, 0.2), tone(0.2, 0.01), tone(0.5, 0.2)));
  assert.equal(said.length / RATE, 1.2);
});

test("the file is WAV of 16 kHz, 16 bits and one channel", async () => {
  const file = wavOf(Float32Array.of(0, 1, -1, 2, 0.5));
  assert.equal(file.type, "audio/wav");
  const data = new DataView(await file.arrayBuffer());
  const word = (/** @type {number} */ at) => String.fromCharCode(...new Uint8Array(data.buffer, at, 4));
  assert.deepEqual([word(0), word(8), word(12), word(36)], ["RIFF", "WAVE", "fmt ", "data"]);
  assert.equal(data.getUint32(4, true), data.byteLength - 8);
  assert.deepEqual([data.getUint16(20, true), data.getUint16(22, true), data.getUint16(34, true)], [1, 1, 16]);
  assert.deepEqual([data.getUint32(24, true), data.getUint32(28, true), data.getUint32(40, true)], [16000, 32000, 10]);
  const samples = [0, 1, 2, 3, 4].map((at) => data.getInt16(44 + at * 2, true));
  assert.deepEqual(samples, [0, 32767, -32767, 32767, 16384]);
});

test("two channels are heard as one", () => {
  const channels = [Float32Array.of(1, 0), Float32Array.of(0, 0.5)];
  const heard = { numberOfChannels: 2, length: 2, getChannelData: (/** @type {number} */ at) => channels[at] };
  assert.deepEqual([...mono(/** @type {any} */ (heard))], [0.5, 0.25]);
});
