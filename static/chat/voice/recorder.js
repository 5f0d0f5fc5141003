/**
 * Speech as a sound, for a model that hears: where the browser has no recogniser of its own. Stands in the place of one.
 */
import { t } from "../words.js";
import { PROBLEMS } from "./recognition.js";
import { mono, spoken, wavOf } from "./sound_file.js";

/** In ms; the server takes 300 s. */
const LONGEST = 295_000;
const BUSY = t("The microphone cannot be used just now. Close what else uses it, or type your question.");
/** @type {Record<string, string>} */
const REFUSALS = {
  NotAllowedError: PROBLEMS["not-allowed"],
  NotFoundError: PROBLEMS["audio-capture"],
};

export class SoundRecorder {
  /** It records what the page's microphone gives, which is to be open before. */
  isRecorder = true;
  #means;
  /** @type {MediaRecorder | null} */
  #running = null;
  #timer = 0;

  /**
   * @param {{microphone: {stream: MediaStream | null}, Recorder: typeof MediaRecorder | undefined,
   *          decode: (data: ArrayBuffer) => Promise<AudioBuffer>,
   *          hears: () => Hearing}} means `hears`: whether the chosen model does, or another one
   */
  constructor(means) {
    this.#means = means;
  }

  /** Who would listen. @returns {Promise<Hearing>} */
  async where() {
    return this.#means.Recorder ? this.#means.hears() : "none";
  }

  /** Why the microphone could not be opened. @param {unknown} error */
  refusal(error) {
    return REFUSALS[/** @type {Error} */ (error).name] ?? BUSY;
  }

  /**
   * Records until `stop()`.
   * @param {object} _how as a recogniser's
   * @param {{ended: (text: string, problem: string, sound?: Blob) => void}} tell `ended` comes once: with the sound, or
   *   with neither where nobody spoke
   */
  start(_how, tell) {
    const { Recorder, microphone } = this.#means;
    if (!Recorder || !microphone.stream || this.#running) return;
    const recorder = new Recorder(microphone.stream);
    /** @type {Blob[]} */
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.onstop = () => void this.#ended(recorder, new Blob(pieces), tell);
    this.#running = recorder;
    this.#timer = window.setTimeout(() => this.stop(), LONGEST);
    recorder.start();
  }

  /** Enough was said: `ended` comes with it. */
  stop() {
    clearTimeout(this.#timer);
    if (this.#running?.state === "recording") this.#running.stop();
  }

  /** As if nothing had been said: `ended` does not come, and what was recorded is gone. */
  abort() {
    const running = this.#running;
    this.#running = null;
    clearTimeout(this.#timer);
    if (running?.state === "recording") running.stop();
  }

  /** @param {MediaRecorder} recorder @param {Blob} recorded
   * @param {{ended: (text: string, problem: string, sound?: Blob) => void}} tell */
  async #ended(recorder, recorded, tell) {
    /** @type {Float32Array} */
    let said = new Float32Array();
    let problem = "";
    try {
      const data = await recorded.arrayBuffer();
      if (data.byteLength) said = spoken(mono(await this.#means.decode(data)));
    } catch {
      problem = BUSY;
    }
    if (this.#running !== recorder) return;
    this.#running = null;
    clearTimeout(this.#timer);
    tell.ended("", problem, said.length ? wavOf(said) : undefined);
  }
}
