/**
 * Shows and hides the camera; what has opened it gets the focus back.
 */
export class Opener {
  /** @type {Element | null} */
  #opener = null;

  /** @param {HTMLElement} section */
  show(section) {
    if (section.hidden) this.#opener = document.activeElement;
    section.hidden = false;
  }

  /** @param {HTMLElement} section */
  hide(section) {
    const { activeElement } = document;
    const wouldBeLost = activeElement === document.body || section.contains(activeElement);
    section.hidden = true;
    if (wouldBeLost) this.#focus();
  }

  /** Focuses it, or the button for the camera that is in view. */
  #focus() {
    const buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-do=toggle-camera]"));
    const inView = [...buttons].filter((button) => button.checkVisibility());
    (inView.find((button) => button === this.#opener) ?? inView[0])?.focus();
  }
}
