/**
 * Reads an answer aloud, sentence by sentence while it streams, and falls silent at once.
 */
import { languageOf, SpokenText } from "./spoken_text.js";

export class Reader {
  #synthesis;
  #Utterance;
  #wishes;
  #changed;
  #text = new SpokenText();
  #length = 0;
  /** What is being said or waits: held, since browsers forget an utterance that nobody holds. @type {Set<object>} */
  #waiting = new Set();

  /**
   * @param {{synthesis: SpeechSynthesis | undefined, Utterance: typeof SpeechSynthesisUtterance, language: string,
   *          wishes: () => VoiceWishes, changed: () => void}} means `changed` is called when it begins or falls silent.
   */
  constructor({ synthesis, Utterance, language, wishes, changed }) {
    this.#synthesis = synthesis;
    this.#Utterance = Utterance;
    this.language = language;
    this.#wishes = wishes;
    this.#changed = changed;
  }

  get isSpeaking() {
    return this.#waiting.size > 0;
  }

  /** A new answer begins. */
  begin() {
    this.stop();
    this.#text = new SpokenText();
    this.#length = 0;
  }

  /** The answer's text so far. @param {string} text @param {boolean} isWhole */
  read(text, isWhole) {
    if (text.length < this.#length) this.begin(); // the answer began anew
    const sentences = this.#text.write(text.slice(this.#length));
    this.#length = text.length;
    for (const sentence of isWhole ? [...sentences, ...this.#text.finish()] : sentences) this.#say(sentence);
  }

  /** Silence, at once; what was not said is not said later. */
  stop() {
    const was = this.isSpeaking;
    this.#waiting.clear();
    this.#synthesis?.cancel();
    if (was) this.#changed();
  }

  /** @param {string} sentence */
  #say(sentence) {
    if (!this.#synthesis) return;
    const { voice, rate } = this.#wishes();
    const utterance = new this.#Utterance(sentence);
    utterance.lang = languageOf(sentence, this.language);
    utterance.rate = rate;
    const chosen = this.#synthesis.getVoices().find(({ voiceURI }) => voiceURI === voice);
    if (chosen && chosen.lang.slice(0, 2) === utterance.lang.slice(0, 2)) utterance.voice = chosen;
    const over = () => {
      if (this.#waiting.delete(utterance) && !this.isSpeaking) this.#changed();
    };
    utterance.onend = over;
    utterance.onerror = over;
    const isFirst = !this.isSpeaking;
    this.#waiting.add(utterance);
    this.#synthesis.speak(utterance);
    if (isFirst) this.#changed();
  }
}
