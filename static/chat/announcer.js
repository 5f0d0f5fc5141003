/**
 * Announces to screen readers that an answer began and how it ended, never its text.
 */
import { t } from "./words.js";

/** @type {Record<string, string>} */
const ENDS = {
  complete: t("The answer is complete."),
  stopped: t("The answer was stopped."),
  failed: t("The answer failed."),
  interrupted: t("The answer was interrupted."),
};

export class Announcer {
  #place;

  /** @param {HTMLElement} place a live region */
  constructor(place) {
    this.#place = place;
  }

  began() {
    this.#place.textContent = t("WonderCam is answering.");
  }

  /** @param {End} end */
  ended(end) {
    this.#place.textContent = ENDS[end];
  }

  /** @param {string} sentence */
  say(sentence) {
    this.#place.textContent = sentence;
  }
}
