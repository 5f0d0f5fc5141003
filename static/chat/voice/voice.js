/**
 * The voice on the page: its button, what it hears, and the dialogs of its wishes and of its consent.
 */

import { upload } from "../photo_store.js";
import { t } from "../words.js";
import { Listener } from "./listener.js";
import { Microphone } from "./microphone.js";
import { Reader } from "./reader.js";
import { Recognition } from "./recognition.js";
import { SoundRecorder } from "./recorder.js";
import { RATE } from "./sound_file.js";
import { Talk } from "./talk.js";
import { Wishes } from "./wishes.js";

/**
 * On phones the recogniser falls silent while the page has the microphone open, too
 * (https://github.com/WebAudio/web-speech-api/issues/101).
 */
const PHONES = /Android|iPhone|iPad/;
const LISTENING = t("Listening…");
const FAILED_DOWNLOAD = t("The download did not work. Type your question, or allow the browser's own service.");

export class Voice {
  #means;
  #button;
  #heard;
  #dialog;
  #recognition;
  #wishes = new Wishes(localStorage);
  #talk;

  /** @param {VoiceMeans} means */
  constructor(means) {
    this.#means = means;
    this.#button = means.byId("talk");
    this.#heard = means.byId("heard");
    this.#dialog = /** @type {HTMLDialogElement} */ (means.byId("wishes"));
    const { language } = navigator;
    const browser = /** @type {any} */ (window);
    const Recognizer = isSecureContext ? (browser.SpeechRecognition ?? browser.webkitSpeechRecognition) : undefined;
    this.#recognition = new Recognition({ Recognizer, language });
    const microphone = new Microphone({ media: navigator.mediaDevices, makeContext: () => new AudioContext() });
    const recorder = new SoundRecorder({
      microphone,
      Recorder: navigator.mediaDevices ? browser.MediaRecorder : undefined,
      decode: (data) => new OfflineAudioContext(1, 1, RATE).decodeAudioData(data),
      hears: () => this.#whoHears(),
    });
    const reader = new Reader({
      synthesis: browser.speechSynthesis,
      Utterance: browser.SpeechSynthesisUtterance,
      language,
      wishes: () => this.#wishes.read(),
      changed: () => this.#read(),
    });
    this.#talk = new Talk({
      recognition: new Listener({ recognition: this.#recognition, recorder }),
      microphone,
      reader,
      wishes: this.#wishes,
      isExclusive: PHONES.test(navigator.userAgent),
      told: {
        ...means,
        ask: (text, sound) => means.ask(text, sound && ((to) => stored(to, sound))),
        spoke: () => means.camera.mark(),
        unasked: () => means.camera.unmark(),
        heard: (text) => this.#show(text),
        consent: (where) => this.#ask(where),
        changed: () => this.#changed(),
      },
    });
    this.#listen();
  }

  get talk() {
    return this.#talk;
  }

  /** Opens the dialog of the reader's wishes. */
  choose() {
    const { isAloud, isHandsFree, isAllowed, voice, rate } = this.#wishes.read();
    this.#box("aloud").checked = isAloud;
    this.#box("hands-free").checked = isHandsFree;
    this.#box("allowed").checked = isAllowed;
    this.#box("rate").value = String(rate);
    const voices = /** @type {HTMLSelectElement} */ (this.#part("voice"));
    const found = window.speechSynthesis?.getVoices() ?? [];
    this.#box("aloud").disabled = !("speechSynthesis" in window);
    voices.replaceChildren(
      new Option(t("The browser's own"), ""),
      ...found.map(({ name, lang, voiceURI }) => new Option(`${name} (${lang})`, voiceURI)),
    );
    voices.value = found.some(({ voiceURI }) => voiceURI === voice) ? voice : "";
    this.#dialog.showModal();
  }

  #listen() {
    this.#dialog.addEventListener("change", () => {
      const { isAloud } = this.#wishes.read();
      this.#wishes.change({
        isAloud: this.#box("aloud").checked,
        isHandsFree: this.#box("hands-free").checked,
        isAllowed: this.#box("allowed").checked,
        voice: this.#box("voice").value,
        rate: Number(this.#box("rate").value),
      });
      if (isAloud && !this.#box("aloud").checked) this.#talk.end();
    });
    // Before the camera's own listener: Escape silences first, and closes the camera the next time.
    const listener = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]") && this.#talk.end()) event.preventDefault();
    };
    document.addEventListener("keydown", listener, { capture: true });
    document.addEventListener("visibilitychange", () => document.hidden && this.#deafen());
    addEventListener("pagehide", () => this.#talk.end());
  }

  /** Nothing listens while the tab is hidden; an answer may be read to its end. */
  #deafen() {
    if (this.#talk.state !== "off") this.#talk.end();
  }

  /** @param {Hearing} where @returns {Promise<Hearing | "">} */
  async #ask(where) {
    const { byId, problem } = this.#means;
    const consent = /** @type {HTMLDialogElement} */ (byId("consent"));
    /** @type {HTMLElement} */ (consent.querySelector("[data-part=download]")).hidden = where !== "download";
    consent.returnValue = "";
    consent.showModal();
    await new Promise((resolve) => consent.addEventListener("close", resolve, { once: true }));
    if (consent.returnValue === "maker") this.#wishes.change({ isAllowed: true });
    if (consent.returnValue !== "device") return /** @type {Hearing | ""} */ (consent.returnValue);
    const isThere = await this.#recognition.install();
    if (!isThere) problem(FAILED_DOWNLOAD);
    return isThere ? "device" : "";
  }

  /** Whether the chosen model hears, or another one. @returns {Hearing} */
  #whoHears() {
    const picker = /** @type {HTMLFormElement} */ (this.#means.byId("composer")).elements.namedItem("model");
    const models = picker instanceof HTMLSelectElement ? [...picker.selectedOptions, ...picker.options] : [picker];
    const at = models.findIndex((model) => /** @type {HTMLElement} */ (model).dataset.sounds === "yes");
    return at === 0 ? "model" : at > 0 ? "another" : "none";
  }

  #changed() {
    const { said } = this.#means;
    const button = this.#button;
    const { state, isSpeaking } = this.#talk;
    if (state === "listening" && button.dataset.state !== "listening") said(LISTENING);
    button.dataset.state = state === "off" && isSpeaking ? "speaking" : state;
    button.setAttribute("aria-pressed", String(state !== "off"));
    this.#show("");
  }

  /** The voice began to read, or has ended. */
  #read() {
    this.#changed();
    if (!this.#talk.isSpeaking) this.#talk.resume();
  }

  /** @param {string} text */
  #show(text) {
    this.#heard.hidden = this.#talk.state !== "listening";
    this.#heard.textContent = text || LISTENING;
  }

  /** @param {string} name */
  #box(name) {
    return /** @type {HTMLInputElement} */ (this.#part(name));
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(`[data-part=${name}]`));
  }
}

/** The sound, once the server has it. @param {Requester} to @param {Blob} sound @returns {Promise<Photo>} */
async function stored(to, sound) {
  const attachment = await upload(to, sound, "sound");
  return { attachment, mimeType: sound.type, url: URL.createObjectURL(sound) };
}
