/**
 * Stays at the end while the reader is there, and leaves a reader who looks elsewhere alone.
 */

/** This close to the end counts as there, in px. */
const NEAR = 48;

export class Scroll {
  #viewport;
  #button;
  #stuck = true;
  #top = 0;

  /** @param {HTMLElement} viewport @param {HTMLElement} button "Jump to latest" */
  constructor(viewport, button) {
    this.#viewport = viewport;
    this.#button = button;
    viewport.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    // What stands in the viewport also grows without us: photos load, a keyboard opens.
    const observer = new ResizeObserver(() => this.keep());
    for (const part of [viewport, ...viewport.children]) observer.observe(part);
  }

  /** After something was painted: to the end, if the reader was there. */
  keep() {
    if (this.#stuck) this.#viewport.scrollTop = this.#viewport.scrollHeight;
    this.#button.hidden = this.#isNear;
  }

  /** To the end, to stay there. */
  toEnd() {
    this.#stuck = true;
    this.keep();
  }

  get #isNear() {
    const { scrollHeight, scrollTop, clientHeight } = this.#viewport;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #scrolled() {
    const { scrollTop } = this.#viewport;
    // Only the reader moves up; growing text moves the end away without moving the reader.
    if (this.#isNear) this.#stuck = true;
    else if (scrollTop < this.#top) this.#stuck = false;
    this.#top = scrollTop;
    this.#button.hidden = this.#isNear;
  }
}
