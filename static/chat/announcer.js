/**
 * Tells a screen reader that an answer began and how it ended; never its text, token by token.
 */

/** @type {Record<string, string>} */
const ENDS = {
  complete: "The answer is complete.",
  stopped: "The answer was stopped.",
  failed: "The answer failed.",
  interrupted: "The answer was interrupted.",
};

export class Announcer {
  #place;

  /** @param {HTMLElement} place a live region */
  constructor(place) {
    this.#place = place;
  }

  began() {
    this.#place.textContent = "WonderCam is answering.";
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
