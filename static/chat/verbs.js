/**
 * Dispatches clicks and submits: a control names its action in `data-do`, a form in `data-submit`.
 */

/**
 * @param {(control: HTMLElement, verb: string) => void} act
 * @param {() => string} csrf the newest CSRF token, which is added to Django's forms
 */
export function listenForVerbs(act, csrf) {
  document.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const control = /** @type {HTMLElement | null} */ (target.closest("[data-do]"));
    if (control) act(control, control.dataset.do ?? "");
  });
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.dataset.submit) {
      event.preventDefault();
      act(form, form.dataset.submit);
    }
    const field = form.elements.namedItem("csrfmiddlewaretoken");
    if (field instanceof HTMLInputElement) field.value = csrf();
  });
}
