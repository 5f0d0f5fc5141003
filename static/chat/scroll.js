/**
 * Follows the end while the user is there. Any scroll up (wheel, touch, key, scrollbar) stops that; only scrolling back to the
 * end starts it again. What zooms, moves in a field or scrolls in a part of the transcript is none.
 */

/** Closer to the end the button is hidden, in px. */
const NEAR = 48;
/** This close to the end is the end: layouts are rounded, in px. */
const END = 4;
/** A shorter touch movement is no drag, in px. */
const DRAG = 3;
const KEYS_UP = new Set(["ArrowUp", "PageUp", "Home"]);
/** What acts upon such keys itself. */
const FIELDS = "input, textarea, select, audio";
/** What is pressed by Space. */
const PRESSED = "button, summary";

/**
 * A scroll position: a message, and how much of it is above the edge, in px.
 * @typedef {{id: string, above: number}} Place
 */

export class Scroll {
  #viewport;
  #button;
  #stuck = true;
  #top = 0;
  #height = 0;
  /** @type {number | null} where the finger is that touches the viewport */
  #finger = null;
  /** @type {Place | null} where the reader was, until that is painted */
  #wanted = null;

  /** @param {HTMLElement} viewport @param {HTMLElement} button "Jump to latest" */
  constructor(viewport, button) {
    this.#viewport = viewport;
    this.#button = button;
    this.#top = viewport.scrollTop;
    const passive = { passive: true };
    viewport.addEventListener(
      "scroll",
      () => {
        this.#notice();
        this.#showButton();
      },
      passive,
    );
    viewport.addEventListener("wheel", (event) => this.#turn(event), passive);
    viewport.addEventListener("touchstart", ({ touches }) => this.#touch(touches[0].clientY), passive);
    viewport.addEventListener("touchmove", (event) => this.#drag(event), passive);
    for (const end of ["touchend", "touchcancel"]) viewport.addEventListener(end, () => this.#touch(null), passive);
    viewport.addEventListener("keydown", (event) => this.#pressed(event));
    viewport.addEventListener("pointerdown", ({ offsetX }) => offsetX > viewport.clientWidth && this.#leave());
    button.addEventListener("click", () => this.toEnd());
    // The size also changes otherwise: photos load, boxes are drawn, a keyboard opens.
    const resized = new ResizeObserver(() => this.keep());
    for (const element of [viewport, ...viewport.children]) resized.observe(element);
  }

  /** The scroll position; null at the end. @returns {Place | null} */
  get place() {
    if (this.#stuck) return null;
    for (const article of this.#viewport.querySelectorAll("article")) {
      const above = this.#above(article);
      if (above < article.offsetHeight) return { id: article.dataset.id ?? "", above };
    }
    return null;
  }

  /** Scrolls to a position after the next paint; null: to the end. @param {Place | null} place */
  restore(place) {
    this.#wanted = place;
    this.#stuck = !place;
    if (!place) this.keep();
  }

  /** Called after painting: scrolls to the end, if the user was there and is not dragging. */
  keep() {
    if (this.#isWritten) this.#begin();
    if (this.#wanted) return this.#return(this.#wanted);
    this.#notice(); // the browser may have scrolled already, and not told yet
    if (this.#stuck && this.#finger === null) {
      this.#viewport.scrollTop = this.#isEmpty ? 0 : this.#viewport.scrollHeight;
      this.#top = this.#viewport.scrollTop;
    }
    return this.#showButton();
  }

  /** Whether positions are still counted from the end, where a page that the server has written begins (transcript.css). */
  get #isWritten() {
    return "written" in this.#viewport.dataset;
  }

  /** From now on they are counted from the beginning: the reader stays where they are. */
  #begin() {
    const left = -this.#top;
    delete this.#viewport.dataset.written;
    this.#stuck = left <= END;
    if (!this.#stuck) this.#viewport.scrollTop = this.#left - left;
    this.#top = this.#viewport.scrollTop;
  }

  /** Scrolls to the end, and follows it. */
  toEnd() {
    this.restore(null);
  }

  /** @param {Place} place */
  #return({ id, above }) {
    /** @type {HTMLElement | null} */
    const article = id ? this.#viewport.querySelector(`article[data-id="${CSS.escape(id)}"]`) : null;
    if (article) this.#viewport.scrollTop += above - this.#above(article);
    this.#top = this.#viewport.scrollTop;
    if (this.#viewport.querySelector("[data-whole]")) this.#wanted = null;
    this.#showButton();
  }

  /** How much of a message is above the edge. @param {HTMLElement} article */
  #above(article) {
    return this.#viewport.getBoundingClientRect().top - article.getBoundingClientRect().top;
  }

  /** The distance to the end, in px. */
  get #left() {
    const { scrollHeight, scrollTop, clientHeight } = this.#viewport;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Whether there is no message yet: a welcome is read from its beginning. */
  get #isEmpty() {
    return !this.#viewport.querySelector("article");
  }

  #leave() {
    this.#wanted = null;
    if (this.#viewport.scrollTop > 0) this.#stuck = false;
  }

  #touch(/** @type {number | null} */ at) {
    this.#finger = at;
    if (at === null) this.keep();
  }

  /** Two fingers zoom. @param {TouchEvent} event */
  #drag({ touches, target }) {
    const [{ clientY: at }] = touches;
    if (touches.length === 1 && at > (this.#finger ?? at) + DRAG && !this.#isWithin(target)) this.#leave();
  }

  /** With Ctrl it zooms, as a trackpad's two fingers do. @param {WheelEvent} event */
  #turn({ deltaY, ctrlKey, target }) {
    if (deltaY < 0 && !ctrlKey && !this.#isWithin(target)) this.#leave();
  }

  /** @param {KeyboardEvent} event */
  #pressed({ key, shiftKey, target }) {
    const isSpace = key === " " && shiftKey;
    const taken = isSpace ? `${FIELDS}, ${PRESSED}` : FIELDS;
    if (!isSpace && !KEYS_UP.has(key)) return;
    if (!(/** @type {Element} */ (target).closest(taken)) && !this.#isWithin(target)) this.#leave();
  }

  /** Whether a part of the transcript scrolls up there, as long code does. @param {EventTarget | null} target */
  #isWithin(target) {
    let each = /** @type {Element | null} */ (target);
    while (each && each !== this.#viewport && each.scrollTop <= 0) each = each.parentElement;
    return each !== this.#viewport;
  }

  /** Handles a scroll event. */
  #notice() {
    const { scrollTop, scrollHeight } = this.#viewport;
    const step = scrollTop - this.#top;
    const isSame = scrollHeight === this.#height;
    this.#top = scrollTop;
    this.#height = scrollHeight;
    if (this.#isWritten) return;
    // Growing text moves the end; shrinking text moves the position to the end, and may grow again before this looks.
    if (step < 0 && isSame && this.#left > END) this.#stuck = false;
    else if (step > 0 && this.#left <= END) this.#stuck = true;
  }

  #showButton() {
    this.#button.hidden = this.#isWritten || this.#isEmpty || this.#left < NEAR;
  }
}
