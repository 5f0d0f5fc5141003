/**
 * The page's handle on the voice: its modules are loaded when it is first used, or when answers are to be read aloud.
 */
import { Later } from "../later.js";

/** A press that is longer than that, in ms, is held while one speaks. */
const HELD = 400;

export class VoiceLoader {
  #means;
  #loaded;
  /** @type {import("./voice.js").Voice | null} */
  #voice = null;
  #pressed = 0;
  #hasFailed = false;

  /** @param {VoiceMeans} means */
  constructor(means) {
    this.#means = means;
    this.#loaded = new Later("voice", ({ Voice }) => {
      if (this.#hasFailed) means.problem("");
      this.#voice = new Voice(means);
      return this.#voice;
    });
    const button = means.byId("talk");
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId); // it is let go, wherever the finger is by then
      if (event.button === 0) this.#press();
    });
    for (const name of ["pointerup", "pointercancel"]) button.addEventListener(name, () => this.#release());
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch would open a menu
    // By keyboard or a screen reader there is a click without a pointer.
    button.addEventListener("click", ({ detail }) => detail === 0 && this.#tap());
  }

  /** Silences the voice; whether it was speaking. */
  hush() {
    return Boolean(this.#voice?.talk.isSpeaking) && this.#voice?.talk.hush();
  }

  async choose() {
    const voice = await this.#loaded.get();
    voice.choose();
  }

  /**
   * After the messages were painted: the newest answer is read aloud where that is wished.
   * @param {readonly Message[]} messages
   */
  painted(messages) {
    const newest = messages.at(-1);
    if (newest?.role !== "model") return;
    if (this.#voice) this.#voice.talk.follow(newest);
    else if (newest.status === "sending" && isAloud()) {
      this.#loaded.get().then(({ talk }) => talk.follow(newest), this.#failed);
    }
  }

  #press() {
    this.#pressed = performance.now();
    this.#loaded.get().then(({ talk }) => talk.press({ isHeld: this.#pressed > 0 }), this.#failed);
  }

  #release() {
    const isHeld = performance.now() - this.#pressed > HELD;
    this.#pressed = 0;
    if (isHeld) this.#voice?.talk.release();
    else this.#voice?.talk.loosen();
  }

  #tap() {
    this.#loaded.get().then(({ talk }) => talk.press(), this.#failed);
  }

  #failed = (/** @type {Error} */ { message }) => {
    this.#hasFailed = true;
    this.#means.problem(message);
  };
}

/** Whether answers are to be read aloud, of what wishes.js keeps. */
function isAloud() {
  try {
    return JSON.parse(localStorage.getItem("voice") ?? "{}").isAloud === true;
  } catch {
    return false;
  }
}
