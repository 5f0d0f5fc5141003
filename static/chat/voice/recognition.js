/**
 * Speech to text by the browser's own recogniser: on the device where it can, else by its maker once that is allowed.
 */
import { t } from "../words.js";

/** @type {Record<string, string>} */
export const PROBLEMS = {
  "not-allowed": t("This page may not use the microphone. Allow it in the browser, by the sign beside the address."),
  "audio-capture": t("No microphone was found. Connect one, or type your question."),
  network: t("The browser's speech service cannot be reached. Type your question."),
  "service-not-allowed": t("This browser does not turn speech into text for this page. Type your question."),
  "language-not-supported": t("This browser cannot turn speech of this language into text. Type your question."),
};
export const UNHEARD = t("Nothing was understood. Try again, or type your question.");

export class Recognition {
  #Recognizer;
  #language;
  /** @type {Recognizer | null} */
  #running = null;

  /** @param {{Recognizer: RecognizerType | undefined, language: string}} means */
  constructor({ Recognizer, language }) {
    this.#Recognizer = Recognizer;
    this.#language = language;
  }

  get isRunning() {
    return this.#running !== null;
  }

  /** Where speech would be turned into text. @returns {Promise<Hearing>} */
  async where() {
    if (!this.#Recognizer) return "none";
    try {
      const found = await this.#Recognizer.available?.(this.#local);
      if (found === "available") return "device";
      return found === "downloadable" || found === "downloading" ? "download" : "maker";
    } catch {
      return "maker";
    }
  }

  /** Downloads what the device needs; false where that did not work. */
  async install() {
    try {
      return (await this.#Recognizer?.install?.(this.#local)) ?? false;
    } catch {
      return false;
    }
  }

  /**
   * Listens until `stop()`, or until the browser has heard enough.
   * @param {{isLocal: boolean, isPatient: boolean}} how `isPatient`: a pause is not the end; `stop()` is.
   * @param {{heard: (text: string) => void, ended: (text: string, problem: string) => void}} tell
   *   `ended` comes once: with what was understood, or why nothing was; both are "" where nobody spoke.
   */
  start({ isLocal, isPatient }, tell) {
    if (!this.#Recognizer || this.#running) return;
    const recognizer = new this.#Recognizer();
    recognizer.lang = this.#language;
    recognizer.continuous = isPatient;
    recognizer.interimResults = true;
    if (isLocal) recognizer.processLocally = true;
    let text = "";
    let problem = "";
    recognizer.onresult = ({ results }) => {
      text = joined(Array.from(results, (result) => result[0].transcript.trim()));
      tell.heard(text);
    };
    recognizer.onerror = ({ error }) => {
      if (error !== "no-speech" && error !== "aborted") problem = PROBLEMS[error] ?? UNHEARD;
    };
    recognizer.onend = () => {
      if (this.#running !== recognizer) return;
      this.#running = null;
      tell.ended(text.trim(), text ? "" : problem);
    };
    this.#running = recognizer;
    recognizer.start();
  }

  /** Enough was said: `ended` comes with the rest. */
  stop() {
    this.#running?.stop();
  }

  /** As if nothing had been said: `ended` does not come. */
  abort() {
    const running = this.#running;
    this.#running = null;
    running?.abort();
  }

  get #local() {
    return { langs: [this.#language], processLocally: true };
  }
}

/**
 * The pieces as one text. Chrome on Android gives each piece with all that came before it: such a piece takes the place
 * of what it repeats.
 * @param {string[]} pieces
 */
export function joined(pieces) {
  /** @type {string[]} */
  const kept = [];
  for (const piece of pieces) {
    const before = kept.join(" ");
    if (before && piece.toLowerCase().startsWith(before.toLowerCase())) kept.length = 0;
    if (piece) kept.push(piece);
  }
  return kept.join(" ");
}
