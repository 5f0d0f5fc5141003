/**
 * The rating of an answer: a thumb under it, and optionally a reason. The server stores the latest one
 * (`POST /v2/messages/<id>/feedback`), and sends it with the message as `feedback`.
 */
import { t } from "./words.js";

/** @typedef {{value: number, reason: string} | null} Opinion */

/** @type {Record<string, string>} */
const WHY = { 1: t("What was good about it?"), "-1": t("What was wrong with it?") };

export class Feedback {
  #session;
  #chat;
  #told;

  /**
   * @param {{json: (method: string, path: string, body?: object) => Promise<any>}} session
   * @param {Pick<import("./chat.js").Chat, "find" | "note">} chat
   * @param {{said: (sentence: string) => void}} told
   */
  constructor(session, chat, told) {
    this.#session = session;
    this.#chat = chat;
    this.#told = told;
  }

  /** Shows which thumb is set. @param {HTMLElement} element @param {Message["facts"]} facts */
  show(element, facts) {
    const opinion = /** @type {Opinion} */ (facts.feedback ?? null);
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-do=thumb]"))) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.value) === opinion?.value));
    }
  }

  /** Sets this thumb, or removes it if it was set, and asks for a reason. @param {HTMLElement} button */
  async thumb(button) {
    const article = /** @type {HTMLElement} */ (button.closest("article"));
    const isBack = button.getAttribute("aria-pressed") === "true";
    const value = isBack ? 0 : Number(button.dataset.value);
    const form = formOf(article);
    form.hidden = isBack;
    if (!isBack) ask(form, WHY[value]);
    try {
      await this.#give(article, value, "");
    } catch (error) {
      form.hidden = true;
      throw error;
    }
    this.#told.said(isBack ? t("Taken back.") : t("Thank you. You can say why."));
  }

  /** Stores the typed reason. @param {HTMLFormElement} form */
  async reason(form) {
    const article = /** @type {HTMLElement} */ (form.closest("article"));
    const given = /** @type {Opinion} */ (this.#chat.find(article.dataset.key ?? "")?.facts.feedback ?? null);
    form.hidden = true;
    /** @type {HTMLElement | null} */ (article.querySelector("[data-do=thumb][aria-pressed=true]"))?.focus();
    if (!given) return;
    try {
      await this.#give(article, given.value, fieldOf(form).value.trim());
    } catch (error) {
      form.hidden = false; // with what was typed, to be sent again
      fieldOf(form).focus();
      throw error;
    }
    this.#told.said(t("Thank you."));
  }

  /** Shows the rating at once, and the previous one if storing it fails.
   * @param {HTMLElement} article @param {number} value @param {string} reason */
  async #give(article, value, reason) {
    const key = article.dataset.key ?? "";
    const message = this.#chat.find(key);
    if (!message?.id) return;
    const before = message.facts.feedback ?? null;
    this.#chat.note(key, { feedback: value ? { value, reason } : null });
    try {
      const opinion = value ? { value, reason } : { value };
      const kept = await this.#session.json("POST", `/v2/messages/${message.id}/feedback`, opinion);
      this.#chat.note(key, { feedback: kept.feedback });
    } catch (error) {
      this.#chat.note(key, { feedback: before });
      throw error;
    }
  }
}

/**
 * Creates the form for a reason on first use: with a form in every message, browsers would search all of them for
 * autofill whenever a message is added (half a second with 300 messages).
 * @param {HTMLElement} article @returns {HTMLFormElement}
 */
function formOf(article) {
  const found = article.querySelector("[data-part=reason]");
  if (found) return /** @type {HTMLFormElement} */ (found);
  const { content } = /** @type {HTMLTemplateElement} */ (document.getElementById("reason"));
  const form = /** @type {HTMLFormElement} */ (content.cloneNode(true).firstChild);
  article.append(form);
  return form;
}

/** @param {HTMLFormElement} form */
const fieldOf = (form) => /** @type {HTMLInputElement} */ (form.querySelector("input"));

/** @param {HTMLFormElement} form @param {string} question */
function ask(form, question) {
  const field = fieldOf(form);
  field.value = "";
  field.placeholder = question;
  field.setAttribute("aria-label", question);
}
