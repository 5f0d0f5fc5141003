/**
 * Dispatches clicks and submits: a control names its action in `data-do`, a form in `data-submit`.
 */
import { attempt } from "./document.js";

/**
 * @param {(control: HTMLElement, verb: string) => unknown} does
 * @param {() => string} csrf the newest CSRF token, which is added to Django's forms
 */
export function listenForVerbs(does, csrf) {
  document.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const control = /** @type {HTMLElement | null} */ (target.closest("[data-do]"));
    if (control) void attempt(() => does(control, control.dataset.do ?? ""));
  });
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const verb = form.dataset.submit;
    if (verb) {
      event.preventDefault();
      void attempt(() => does(form, verb));
    }
    const field = form.elements.namedItem("csrfmiddlewaretoken");
    if (field instanceof HTMLInputElement) field.value = csrf();
  });
}
