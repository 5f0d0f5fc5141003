/**
 * The buttons under a message, by their `data-do`.
 */
import { copy } from "./clipboard.js";
import { load } from "./later.js";
import { t } from "./words.js";

const GO_ON = t("Please go on where you stopped.");
/** How long a button confirms that it has copied, in ms. */
const DONE_FOR = 1500;
/** How many frames a version may take to be shown until the focus is no longer moved to it. */
const FRAMES = 60;

export class Actions {
  #chat;
  #composer;
  #told;
  /** @type {Record<string, (button: HTMLElement) => unknown>} */
  #verbs = {
    again: (button) => {
      this.#composer.refocus();
      return this.#chat.again(keyOf(button), this.#composer.model);
    },
    continue: () => this.#told.send(GO_ON),
    version: (button) => this.#version(button),
    edit: (button) => this.#composer.edit(keyOf(button), this.#textOf(button)),
    "edit question": (button) => {
      const question = this.#chat.find(this.#chat.find(keyOf(button))?.parent ?? "");
      if (question) this.#composer.edit(question.key, question.text);
    },
    "cancel edit": () => this.#composer.cancelEdit(),
    quote: (button) => this.#composer.quote(selectedIn(button.closest("article")) || this.#textOf(button)),
    replay: async (button) => (await load("replay")).open(this.#chat.find(keyOf(button))?.stream ?? ""),
    example: async (button) => (await load("replay")).playExample(button),
    copy: (button) => this.#copy(button, this.#textOf(button)),
    "copy code": (button) => this.#copy(button, button.closest("figure")?.querySelector("code")?.textContent ?? ""),
    "wrap code": (button) => {
      const isOn = button.closest("figure")?.toggleAttribute("data-wrapped");
      button.setAttribute("aria-pressed", String(isOn));
    },
  };

  /**
   * @param {import("./chat.js").Chat} chat
   * @param {import("./composer.js").Composer} composer
   * @param {{send: (text: string) => void, said: (sentence: string) => void}} told
   */
  constructor(chat, composer, told) {
    this.#chat = chat;
    this.#composer = composer;
    this.#told = told;
  }

  /** Runs the button's action, if it is one of these. @param {HTMLElement} button */
  take(button) {
    return this.#verbs[button.dataset.do ?? ""]?.(button);
  }

  /** @param {HTMLElement} button */
  #textOf(button) {
    return this.#chat.find(keyOf(button))?.text ?? "";
  }

  /** Shows another version; the focus goes to the same button there. @param {HTMLElement} button */
  async #version({ dataset: { version = "", part } }) {
    this.#chat.show(version);
    const article = await shown(version);
    const same = /** @type {HTMLElement | null | undefined} */ (article?.querySelector(`[data-part=${part}]:enabled`));
    (
      same ?? /** @type {HTMLElement | null | undefined} */ (article?.querySelector("[data-do=version]:enabled"))
    )?.focus();
  }

  /** @param {HTMLElement} button @param {string} text */
  async #copy(button, text) {
    await copy(text);
    button.dataset.done = "";
    this.#told.said(t("Copied."));
    setTimeout(() => delete button.dataset.done, DONE_FOR);
  }
}

/** @param {HTMLElement} button */
const keyOf = (button) => button.closest("article")?.dataset.key ?? "";

/** The element of a message, once it stands there; null if that takes longer. @param {string} key */
async function shown(key) {
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const found = document.querySelector(`article[data-key="${key}"]`);
    if (found) return found;
    await new Promise(requestAnimationFrame);
  }
  return null;
}

/** The text selected inside this message, or "". @param {Element | null} article */
function selectedIn(article) {
  const selection = getSelection();
  const isInside = article && selection?.anchorNode && article.contains(selection.anchorNode);
  return isInside ? selection.toString() : "";
}
