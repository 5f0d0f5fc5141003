/**
 * Dispatches clicks and submits: a control names its action in `data-do`, a form in `data-submit`.
 */
import { byId, problem } from "./document.js";

/** The last error of an action. */
let failure = "";

/**
 * The error of an action is shown until the next one.
 * @param {(control: HTMLElement, verb: string) => unknown} does
 * @param {() => string} csrf the newest CSRF token, which is added to Django's forms
 */
export function listenForVerbs(does, csrf) {
  /** @param {HTMLElement} control @param {string} verb */
  async function act(control, verb) {
    if (failure && byId("problem").textContent === failure) problem("");
    try {
      await does(control, verb);
    } catch (error) {
      failure = /** @type {Error} */ (error).message;
      problem(failure);
    }
  }

  document.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const control = /** @type {HTMLElement | null} */ (target.closest("[data-do]"));
    if (control) void act(control, control.dataset.do ?? "");
  });
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.dataset.submit) {
      event.preventDefault();
      void act(form, form.dataset.submit);
    }
    const field = form.elements.namedItem("csrfmiddlewaretoken");
    if (field instanceof HTMLInputElement) field.value = csrf();
  });
}
