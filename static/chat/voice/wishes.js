/**
 * A reader's wishes about voices, remembered in this browser.
 */

/** Also read by loader.js, as is `isAloud`. */
const NAME = "voice";
/** @type {VoiceWishes} */
const FIRST = { isAloud: false, isHandsFree: false, isAllowed: false, voice: "", rate: 1 };

export class Wishes {
  #storage;

  /** @param {Pick<Storage, "getItem" | "setItem">} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @returns {VoiceWishes} */
  read() {
    try {
      const { isAloud, isHandsFree, isAllowed, voice, rate } = JSON.parse(this.#storage.getItem(NAME) ?? "{}");
      return {
        isAloud: isAloud === true,
        isHandsFree: isHandsFree === true,
        isAllowed: isAllowed === true,
        voice: String(voice ?? ""),
        rate: rate >= 0.5 && rate <= 2 ? rate : 1,
      };
    } catch {
      return FIRST;
    }
  }

  /** @param {Partial<VoiceWishes>} changed */
  change(changed) {
    try {
      this.#storage.setItem(NAME, JSON.stringify({ ...this.read(), ...changed }));
    } catch {
      // A full or forbidden storage costs the memory, not the voice.
    }
  }
}
