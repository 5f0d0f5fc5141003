/**
 * One message on the page: photos, thoughts, text, waiting and final notices, and actions.
 */
import { isOpen } from "./message.js";
import { endingOf, waitingFor } from "./messages.js";
import { photoButton, soundPlayer } from "./photo_button.js";
import { rateOf, seconds, story } from "./times.js";
import { t } from "./words.js";

/**
 * Renders answers, loads photos into images, and shows further parts of a message when it changes.
 * @typedef {{answers: import("./answer_loader.js").AnswerLoader,
 *            showPhoto: (element: HTMLImageElement | HTMLAudioElement, photo: Photo) => void,
 *            extras: ((element: HTMLElement, message: Message) => void)[]}} Means
 */

/** @type {Record<string, string>} the states of a question */
const MARKS = { sent: t("Sent"), failed: t("Not sent") };

export class Article {
  /** @type {import("./answer_text.js").AnswerText | null} */
  #answer = null;
  /** @type {Message | null} */
  #shown = null;
  #isDone = false;
  #isWritten;
  /** @type {HTMLElement} where the answer is written */
  #place;
  #means;

  /**
   * @param {HTMLElement} element from the partial `_message.html`, written by the server already where it is seen
   * @param {{key: string, role: string}} message
   * @param {Means} means
   */
  constructor(element, { key, role }, means) {
    this.element = element;
    this.#isWritten = "seen" in element.dataset;
    this.#place = this.#part("text");
    this.#means = means;
    element.dataset.key = key;
    element.dataset.role = role;
    element.setAttribute("aria-label", role === "user" ? t("You") : "WonderCam");
  }

  /**
   * Shows the message until `isLate()`. Returns whether all of it is shown.
   * @param {Message} message @param {Message[]} versions all versions of it @param {() => boolean} isLate
   */
  show(message, versions, isLate) {
    this.#showPlace(message, versions);
    if (this.#shown === message && this.#isDone) return true;
    if (this.#shown !== message) this.#showFacts(message, this.#shown);
    this.#shown = message;
    const isWhole = message.role === "model" ? this.#showAnswer(message, isLate) : this.#showText(message);
    if (isWhole || isOpen(message)) this.element.dataset.seen = "";
    this.#isDone = isWhole && (message.role === "user" || this.#answer !== null);
    return isWhole;
  }

  /** Until the renderer is loaded, growing answers are plain text; if it cannot be loaded, all are but the server's.
   * @param {Message} message @param {() => boolean} isLate */
  #showAnswer(message, isLate) {
    const { answers } = this.#means;
    if (answers.isReady && isLate()) return false;
    if (!this.#answer && answers.isReady) {
      if (!isOpen(message)) this.#place = this.#beside(this.#place);
      this.#answer = answers.make(this.#place);
    }
    if (this.#answer) return this.#write(this.#answer, message, isLate);
    if (isOpen(message) || (answers.hasFailed && !this.#isWritten)) this.#showText(message);
    return answers.hasFailed;
  }

  /** A finished answer is written out of sight, and takes its place once it is whole.
   * @param {import("./answer_text.js").AnswerText} answer @param {Message} message @param {() => boolean} isLate */
  #write(answer, message, isLate) {
    const isWhole = answer.show(message, !isOpen(message), isLate);
    if (isWhole && this.#place.hasAttribute("aria-hidden")) {
      this.#part("text").remove();
      this.#place.removeAttribute("aria-hidden");
    }
    return isWhole;
  }

  /** Where the browser lays out each slice when it is written: all of a long answer at once takes a phone 500 ms.
   * @param {HTMLElement} place */
  #beside(place) {
    const coming = /** @type {HTMLElement} */ (place.cloneNode());
    coming.setAttribute("aria-hidden", "true");
    place.after(coming);
    return coming;
  }

  /** @param {Message} message */
  #showText({ text }) {
    set(this.#part("text"), text);
    return true;
  }

  /** Shows what a running answer waits for, and since when. @param {number} now */
  tick(now) {
    if (!this.#shown) return;
    const waiting = isOpen(this.#shown) ? waitingFor(this.#shown, now) : { notice: "", since: now };
    this.element.dataset.waiting = waiting.notice ? "yes" : "no";
    set(this.#part("notice"), waiting.notice);
    const passed = Math.floor((now - waiting.since) / 1000);
    set(this.#part("seconds"), waiting.notice && passed > 0 ? `${passed} s` : "");
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return /** @type {HTMLElement} */ (this.element.querySelector(`[data-part=${name}]`));
  }

  /** @param {Message} message @param {Message | null} before */
  #showFacts(message, before) {
    const { dataset } = this.element;
    const { sentence, can } = endingOf(message);
    dataset.status = message.status;
    dataset.id = message.id;
    dataset.stream = message.stream;
    dataset.empty = message.text || message.pictures.length ? "no" : "yes";
    dataset.short = sentence ? "yes" : "no";
    dataset.can = can.join(" ");
    this.element.setAttribute("aria-busy", String(message.role === "model" && isOpen(message)));
    if (message.photos !== before?.photos) this.#photos(message.photos);
    this.#thoughts(message, before);
    set(this.#part("line"), message.line);
    set(this.#part("sentence"), sentence);
    set(this.#part("model"), message.model.replace(/^[^/]*\//, ""));
    set(this.#part("mark"), message.role === "user" ? (MARKS[message.status] ?? t("Sending…")) : "");
    this.#times(message);
    for (const show of this.#means.extras) show(this.element, message);
  }

  /** @param {Message} message @param {Message | null} before */
  #thoughts({ thoughts, times, text, status }, before) {
    const place = this.#part("thoughts");
    place.hidden = !thoughts;
    if (!thoughts) return;
    const isThinking = !text && (status === "running" || status === "sending");
    const took = isThinking ? null : times.thought; // what is waited for is said below, with its seconds
    set(this.#part("thought"), took === null ? t("Thoughts") : t("Thought for {time}", { time: seconds(took) }));
    if (thoughts !== before?.thoughts) set(this.#part("thinking"), thoughts);
  }

  /** @param {Message} message */
  #times({ times, status }) {
    const short = status === "sending" || status === "running" ? "" : rateOf(times);
    this.#part("times").hidden = !short;
    set(this.#part("rate"), short);
    set(this.#part("story"), short && story(times));
  }

  /** Shows the number of this version. @param {Message} message @param {Message[]} versions */
  #showPlace({ key }, versions) {
    const place = this.#part("versions");
    place.hidden = versions.length < 2;
    if (place.hidden) return;
    const at = versions.findIndex((other) => other.key === key);
    set(this.#part("place"), `${at + 1}/${versions.length}`);
    for (const [name, other] of [
      ["earlier", versions[at - 1]],
      ["later", versions[at + 1]],
    ]) {
      const button = /** @type {HTMLButtonElement} */ (this.#part(String(name)));
      button.disabled = !other;
      button.dataset.version = /** @type {Message | undefined} */ (other)?.key ?? "";
    }
  }

  /** Shows photos and sounds. @param {Photo[]} photos */
  #photos(photos) {
    this.#part("photos").replaceChildren(
      ...photos.map((photo, at) => {
        if (photo.mimeType) {
          const player = soundPlayer();
          this.#means.showPhoto(player, photo);
          return player;
        }
        const { button, image } = photoButton(t("Photo {number} of this message", { number: at + 1 }));
        this.#means.showPhoto(image, photo);
        return button;
      }),
    );
  }
}

/** @param {HTMLElement} element @param {string} text */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
