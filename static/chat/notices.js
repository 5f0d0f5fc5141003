/**
 * The control of notifications. The browser's permission is requested only when it is used.
 */
import { BrowserSubscription } from "./push_subscription.js";

export class Notices {
  #box;
  #said;
  #subscription;

  /** @param {HTMLElement} fieldset @param {JsonRequester} session @param {BrowserSubscription} [subscription] */
  constructor(
    fieldset,
    session,
    subscription = new BrowserSubscription(session, /** @type {string} */ (fieldset.dataset.key)),
  ) {
    this.#box = /** @type {HTMLInputElement} */ (fieldset.querySelector("input"));
    this.#said = /** @type {HTMLElement} */ (fieldset.querySelector("[data-part=said]"));
    this.#subscription = subscription;
    this.#box.addEventListener("change", () => void this.#change());
  }

  /** Shows the state in this browser. */
  async show() {
    this.#box.checked = await this.#subscription.isOn();
  }

  async #change() {
    const box = this.#box;
    box.disabled = true; // a second press waits for the end of the first
    this.#said.textContent = "";
    try {
      await (box.checked ? this.#subscription.turnOn() : this.#subscription.turnOff());
    } catch (problem) {
      this.#said.textContent = /** @type {Error} */ (problem).message;
      box.checked = !box.checked;
    }
    box.disabled = false;
    box.focus(); // a disabled box has lost it
  }
}
