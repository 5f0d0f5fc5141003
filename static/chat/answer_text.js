/**
 * Renders a growing answer in pieces: Markdown, with the model's pictures between its texts.
 */
import { paintCode } from "./code.js";
import { paintFormula } from "./formula.js";
import { Markdown } from "./markdown.js";
import { t } from "./words.js";

/** Characters that are rendered between two checks of the clock. */
const PIECE = 2_000;
const PICTURES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);

export class AnswerText {
  #place;
  #markdown;
  #written = 0;
  #pictures = 0;
  #finished = false;
  #anew = 0;

  /** @param {HTMLElement} place an empty element */
  constructor(place) {
    this.#place = place;
    this.#markdown = this.#begin();
  }

  /**
   * Renders new text until `isLate()`, at least one piece. Returns whether all is rendered.
   * @param {Message} message @param {boolean} isWhole the answer is complete @param {() => boolean} isLate
   */
  show({ text, pictures, anew }, isWhole, isLate) {
    if (this.#finished) return true;
    if (anew !== this.#anew) this.#restart(anew);
    do this.#step(text, pictures);
    while (!this.#isAtEnd(text, pictures) && !isLate());
    if (!this.#isAtEnd(text, pictures)) return false;
    if (isWhole) {
      this.#finished = true;
      this.#markdown.finish();
    }
    return true;
  }

  /** @param {string} text @param {readonly Picture[]} pictures */
  #isAtEnd(text, pictures) {
    return this.#written === text.length && this.#pictures === pictures.length;
  }

  /** @param {string} text @param {readonly Picture[]} pictures */
  #step(text, pictures) {
    const picture = pictures[this.#pictures];
    if (picture?.at === this.#written) {
      this.#pictures += 1;
      this.#markdown.finish();
      this.#place.append(pictureOf(picture));
      this.#markdown = this.#begin();
      return;
    }
    let end = Math.min(this.#written + PIECE, picture?.at ?? text.length, text.length);
    if (end < text.length && isHalf(text.charCodeAt(end - 1))) end += 1;
    if (end > this.#written) this.#markdown.write(text.slice(this.#written, end));
    this.#written = end;
  }

  /** Removes the text of an answer that restarted at this event. @param {number} anew */
  #restart(anew) {
    this.#anew = anew;
    this.#written = this.#pictures = 0;
    this.#place.replaceChildren();
    this.#markdown = this.#begin();
  }

  #begin() {
    const part = document.createElement("div");
    this.#place.append(part);
    return new Markdown(part, { code: paintCode, formula: paintFormula });
  }
}

/** Whether this is a high surrogate. @param {number} unit */
const isHalf = (unit) => unit >= 0xd800 && unit < 0xdc00;

/** @param {Picture} picture */
function pictureOf({ mimeType, data }) {
  const image = document.createElement("img");
  image.className = "picture";
  image.alt = t("Picture made by the model");
  if (!PICTURES.has(mimeType)) return image;
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  image.src = URL.createObjectURL(new Blob([bytes], { type: mimeType }));
  return image;
}
