/**
 * Loads the rendering of answers (Markdown and its modules) for the first answer.
 */
import { Later } from "./later.js";

export class AnswerLoader {
  #later;
  /** @type {Modules["answer"]["AnswerText"] | null} */
  #AnswerText = null;
  /** Whether the last load has failed. */
  hasFailed = false;

  /** @param {() => Promise<Modules["answer"]>} [from] */
  constructor(from) {
    this.#later = new Later("answer", ({ AnswerText }) => AnswerText, from);
  }

  get isReady() {
    return this.#AnswerText !== null;
  }

  /** Loads it, once. Resolves when it is loaded or has failed; then the next call tries again. */
  async load() {
    try {
      this.#AnswerText = await this.#later.get();
      this.hasFailed = false;
    } catch {
      this.hasFailed = true;
    }
  }

  /** The renderer of an answer into this element, which is emptied first; null until it is loaded.
   * @param {HTMLElement} place */
  make(place) {
    if (!this.#AnswerText) return null;
    place.replaceChildren();
    return new this.#AnswerText(place);
  }
}
