/**
 * What listens: the browser's recogniser, and once its service has turned out to be away a recorder, where the chosen
 * model hears. Chromium without its maker's keys, Brave and others have a recogniser that never answers.
 */
import { t } from "../words.js";
import { PROBLEMS } from "./recognition.js";

/** Problems that the next try would have again. */
const AWAY = [PROBLEMS.network, PROBLEMS["service-not-allowed"], PROBLEMS["language-not-supported"]];
export const SAY_AGAIN = t(
  "The browser cannot turn your speech into text. Say it again: it is sent to the model as sound.",
);

/** @implements {Listening} */
export class Listener {
  #recognition;
  #recorder;
  /** @type {Listening} */
  #current;
  #isAway = false;

  /** @param {{recognition: Listening, recorder: Listening}} means */
  constructor({ recognition, recorder }) {
    this.#recognition = recognition;
    this.#recorder = recorder;
    this.#current = recognition;
  }

  get isRecorder() {
    return this.#current.isRecorder ?? false;
  }

  /** Who would listen. @returns {Promise<Hearing>} */
  async where() {
    const own = await this.#recognition.where();
    const other = own === "none" || this.#isAway ? await this.#recorder.where() : "none";
    this.#current = own === "none" || other === "model" ? this.#recorder : this.#recognition;
    return this.isRecorder ? other : own;
  }

  /** @param {unknown} error */
  refusal(error) {
    return this.#current.refusal?.(error) ?? "";
  }

  /** @param {{isLocal: boolean, isPatient: boolean}} how @param {ListeningTold} tell */
  start(how, tell) {
    this.#current.start(how, {
      heard: tell.heard,
      ended: (text, problem, sound) => void this.#ended(text, problem, sound, tell),
    });
  }

  stop() {
    this.#current.stop();
  }

  abort() {
    this.#current.abort();
  }

  /** @param {string} text @param {string} problem @param {Blob | undefined} sound @param {ListeningTold} tell */
  #ended(text, problem, sound, tell) {
    if (!AWAY.includes(problem)) return tell.ended(text, problem, sound);
    this.#isAway = true;
    return this.#recorder.where().then((where) => tell.ended(text, where === "model" ? SAY_AGAIN : problem));
  }
}
