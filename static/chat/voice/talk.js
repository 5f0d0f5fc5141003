/**
 * A conversation by voice: listens, asks, reads the answer aloud, and is interrupted by a word or a tap.
 *
 *     off → listening → off (asked) · with hands free: off → waiting, for speech or for the end of the answer
 *
 * The microphone's level tells when speech begins and ends; the words are the recogniser's. A phone lends its
 * microphone
 * to one of the two at a time: there the recogniser says when speech ends, and the level only when it begins.
 *
 * Nothing listens before somebody has pressed the button, and the microphone is closed as soon as nobody waits for
 * words.
 */

import { t } from "../words.js";
import { UNHEARD } from "./recognition.js";
import { VoiceActivity } from "./voice_activity.js";

const NO_HEARING = t(
  "This browser cannot turn speech into text. Type your question; answers can be read aloud all the same.",
);
const ANOTHER_HEARS = t(
  "This browser cannot turn speech into text, and this model cannot hear. Choose one that can, or type your question.",
);
/** While our own voice is heard, speech must be this much louder, since no browser takes all of it out of the sound. */
const OVER_OWN_VOICE = 4;

export class Talk {
  /** @type {"off" | "listening" | "waiting"} */
  state = "off";
  #means;
  #activity = new VoiceActivity();
  #isHeld = false;
  #isLocal = false;
  #starting = 0;
  /** The answer that is read, and whether it is not to be read any further. */
  #answer = "";
  #isHushed = false;

  /** @param {TalkMeans} means */
  constructor(means) {
    this.#means = means;
  }

  get isSpeaking() {
    return this.#means.reader.isSpeaking;
  }

  get #isExclusive() {
    return this.#means.isExclusive && !this.#means.recognition.isRecorder;
  }

  /**
   * One press of the button: listens, or ends what is being said.
   * @param {{isHeld?: boolean}} [how] `isHeld`: until `release()`, however long one pauses
   */
  async press({ isHeld = false } = {}) {
    this.#isHeld = isHeld;
    if (this.state === "listening") return this.#finish();
    this.hush();
    await this.#listen();
    return undefined;
  }

  /** The press was a tap: the end of speech is heard, not the button's. */
  loosen() {
    this.#isHeld = false;
  }

  /** The button was held while speaking, and is let go. */
  release() {
    this.#isHeld = false;
    if (this.state === "listening") this.#finish();
  }

  /** Silences the voice and stops the answer; whether there was anything to silence. */
  hush() {
    const { reader, told } = this.#means;
    const isBusy = told.isBusy();
    const was = reader.isSpeaking || isBusy;
    this.#isHushed = true;
    reader.stop();
    if (isBusy) told.stop();
    return was;
  }

  /** Everything ends: the voice, the listening, the microphone. Whether there was anything to end. */
  end() {
    const was = this.hush() || this.state !== "off";
    this.#means.recognition.abort();
    this.#rest("off");
    return was;
  }

  /** The newest answer, as often as it grows. @param {{key: string, text: string, status: string}} answer */
  follow({ key, text, status }) {
    const { reader, wishes } = this.#means;
    const isOpen = status === "sending" || status === "running";
    if (key !== this.#answer && isOpen) {
      reader.begin();
      this.#answer = key;
      this.#isHushed = this.state === "listening"; // asked on another device: the recogniser would hear our own voice
    }
    if (key !== this.#answer || this.#isHushed) return;
    if (status === "stopped") this.#isHushed = true;
    if (status === "stopped") reader.stop();
    else if (wishes.read().isAloud) reader.read(text, !isOpen);
    if (!isOpen) this.#isHushed = true; // all of it is with the reader
    if (!isOpen) this.resume();
  }

  /** With hands free: once the answer has ended and the voice is silent, it is the reader's turn to speak. */
  resume() {
    if (this.state === "waiting" && !this.isSpeaking && !this.#means.told.isBusy()) this.#recognise();
  }

  async #listen() {
    const { recognition, wishes, told } = this.#means;
    const request = ++this.#starting;
    const where = await recognition.where();
    if (where === "none" || where === "another") return told.problem(where === "none" ? NO_HEARING : ANOTHER_HEARS);
    const isAsked = where === "device" || where === "model" || wishes.read().isAllowed;
    const chosen = isAsked ? where : await told.consent(where);
    if (!chosen || request !== this.#starting) return undefined;
    this.#isLocal = chosen === "device";
    if (recognition.isRecorder) return this.#record();
    this.#recognise();
    if (!this.#isExclusive) await this.#openMicrophone();
    return undefined;
  }

  /** As soon as the microphone is open. */
  async #record() {
    if (await this.#openMicrophone()) this.#recognise();
  }

  async #openMicrophone() {
    const { microphone, recognition, told } = this.#means;
    this.#activity = new VoiceActivity();
    try {
      return await microphone.open((level, passed) => this.#hear(level, passed));
    } catch (error) {
      // A recogniser says itself what is wrong with the microphone; without a level the browser decides when speech ends.
      if (recognition.isRecorder) told.problem(recognition.refusal?.(error) ?? "");
      return false;
    }
  }

  #recognise() {
    const { recognition, microphone, told } = this.#means;
    this.#enter("listening");
    if (this.#isExclusive) microphone.close();
    recognition.start(
      { isLocal: this.#isLocal, isPatient: this.#isHeld || !this.#isExclusive },
      {
        heard: (text) => told.heard(text),
        ended: (text, problem, sound) => this.#understood(text, problem, sound),
      },
    );
  }

  /** @param {number} level @param {number} passed */
  #hear(level, passed) {
    const said = this.#activity.hear(level, passed, this.isSpeaking ? OVER_OWN_VOICE : 1);
    if (said === "ended" && this.state === "listening" && !this.#isHeld) this.#finish();
    if (said !== "began" || this.state !== "waiting") return;
    this.hush();
    this.#recognise();
  }

  /** Enough was said: the frame of this moment is the question's. */
  #finish() {
    const { told, recognition, wishes, microphone } = this.#means;
    told.spoke();
    recognition.stop();
    if (!wishes.read().isHandsFree) microphone.close();
  }

  /** @param {string} text @param {string} problem @param {Blob} [sound] */
  #understood(text, problem, sound) {
    const { wishes, told } = this.#means;
    this.#rest(wishes.read().isHandsFree && !problem ? "waiting" : "off");
    if (text || sound) return told.ask(text, sound);
    told.unasked();
    return told.problem(problem || (this.state === "off" ? UNHEARD : ""));
  }

  /** @param {"off" | "waiting"} state */
  #rest(state) {
    this.#starting += 1;
    if (state === "off") this.#means.microphone.close();
    else if (this.#isExclusive) void this.#openMicrophone();
    this.#enter(state);
  }

  /** @param {"off" | "listening" | "waiting"} state */
  #enter(state) {
    this.state = state;
    this.#means.told.changed();
  }
}
