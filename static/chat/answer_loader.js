/**
 * Loads the rendering of answers (Markdown and its modules) for the first answer.
 */

export class AnswerLoader {
  /** @type {Promise<void> | null} */
  #loading = null;
  /** @type {typeof import("./answer_text.js").AnswerText | null} */
  #AnswerText = null;
  #load;
  /** Whether the last load has failed. */
  hasFailed = false;

  /** @param {() => Promise<{AnswerText: typeof import("./answer_text.js").AnswerText}>} [load] */
  constructor(load = () => import("answer")) {
    this.#load = load;
  }

  get isReady() {
    return this.#AnswerText !== null;
  }

  /** Loads it, once. Resolves when it is loaded or has failed; then the next call tries again. */
  async load() {
    this.#loading ??= this.#load().then(({ AnswerText }) => {
      this.#AnswerText = AnswerText;
    });
    try {
      await this.#loading;
      this.hasFailed = false;
    } catch {
      this.hasFailed = true;
      this.#loading = null;
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
