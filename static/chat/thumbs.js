/**
 * Shows the thumbs under an answer; `feedback.js` is loaded when one is pressed.
 */

/** Shows which thumb is set. @param {HTMLElement} element @param {Message} message */
export function showThumbs(element, { facts }) {
  const opinion = /** @type {import("./feedback.js").Opinion} */ (facts.feedback ?? null);
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-do=thumb]"))) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.value) === opinion?.value));
  }
}
