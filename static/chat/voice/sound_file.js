/**
 * What was recorded, as a file that every model which hears takes: WAV, 16 kHz, one channel. Pure.
 *
 * Models hear at 16 kHz (https://ai.google.dev/gemini-api/docs/audio); what browsers record as (WebM, MP4) few of them
 * take. A second is 32 KB, so a spoken question is about as large as a photo.
 */

import { BEGINS, QUIETEST } from "./voice_activity.js";

/** Samples a second. */
export const RATE = 16_000;
/** How much is looked at at a time, in samples: 20 ms. */
const FRAME = RATE / 50;
/** So many loud frames are speech; a click has fewer. */
const CERTAIN = 5;
/** What stays before and after speech, in frames: 300 ms. */
const MARGIN = 15;
/** A tenth of the frames are quieter than the background noise. */
const QUIETER = 0.1;
const HEAD = 44;

/** The part in which somebody speaks; empty where nobody does. @param {Float32Array} samples */
export function spoken(samples) {
  const levels = Array.from({ length: Math.floor(samples.length / FRAME) }, (_, at) =>
    loudness(samples.subarray(at * FRAME, (at + 1) * FRAME)),
  );
  const noise = [...levels].sort((one, other) => one - other)[Math.floor(levels.length * QUIETER)] ?? 0;
  const isLoud = (/** @type {number} */ level) => level > Math.max(QUIETEST, noise * BEGINS);
  if (levels.filter(isLoud).length < CERTAIN) return samples.subarray(0, 0);
  const first = Math.max(0, levels.findIndex(isLoud) - MARGIN);
  const last = levels.findLastIndex(isLoud) + 1 + MARGIN;
  return samples.subarray(first * FRAME, last * FRAME);
}

/** All channels as one. @param {Pick<AudioBuffer, "numberOfChannels" | "length" | "getChannelData">} heard */
export function mono(heard) {
  const mixed = new Float32Array(heard.length);
  for (let channel = 0; channel < heard.numberOfChannels; channel += 1) {
    const samples = heard.getChannelData(channel);
    for (let at = 0; at < mixed.length; at += 1) mixed[at] += samples[at] / heard.numberOfChannels;
  }
  return mixed;
}

/** The samples, from -1 to 1, as a file of 16 bits each. @param {Float32Array} samples */
export function wavOf(samples) {
  const file = new DataView(new ArrayBuffer(HEAD + samples.length * 2));
  const word = (/** @type {number} */ at, /** @type {string} */ text) => {
    for (let each = 0; each < 4; each += 1) file.setUint8(at + each, text.charCodeAt(each));
  };
  word(0, "RIFF");
  file.setUint32(4, file.byteLength - 8, true);
  word(8, "WAVE");
  word(12, "fmt ");
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true); // without compression
  file.setUint16(22, 1, true); // one channel
  file.setUint32(24, RATE, true);
  file.setUint32(28, RATE * 2, true);
  file.setUint16(32, 2, true);
  file.setUint16(34, 16, true);
  word(36, "data");
  file.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, at) => {
    file.setInt16(HEAD + at * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
  });
  return new Blob([file], { type: "audio/wav" });
}

/** @param {Float32Array} samples */
const loudness = (samples) => Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
