/**
 * Converts touch, wheel and keys to two actions: zoom by a factor around a point, and move by px.
 *
 * One pointer moves; two pinch, and move with their middle. The wheel zooms. Plus, minus and 0 zoom, the arrows move.
 */

const STEP = 1.25;
const SHIFT = 48;
/** A mouse's wheel gives some 100 px a notch, a pinch on a touchpad 1 to 10 with `ctrlKey` set. */
const WHEEL = 0.002;
const TOUCHPAD = 0.01;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [SHIFT, 0], ArrowRight: [-SHIFT, 0], ArrowUp: [0, SHIFT], ArrowDown: [0, -SHIFT] };
/** @type {Record<string, number>} */
const FACTORS = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 };

export class Gestures {
  #place;
  #wish;
  /** @type {Map<number, {x: number, y: number}>} */
  #pointers = new Map();

  /**
   * @param {HTMLElement} place
   * @param {{zoom: (factor: number, at: {x: number, y: number}) => void, move: (x: number, y: number) => void}} wish
   *   `at` is in px from the centre of the place; a factor of 0 asks for the whole.
   */
  constructor(place, wish) {
    this.#place = place;
    this.#wish = wish;
    place.addEventListener("pointerdown", (event) => this.#down(event));
    place.addEventListener("pointermove", (event) => this.#moved(event));
    for (const name of ["pointerup", "pointercancel"]) {
      place.addEventListener(name, (event) => this.#pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    }
    place.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
    place.addEventListener("dblclick", (event) => wish.zoom(2, this.#at(event.clientX, event.clientY)));
  }

  /** Handles a key. Returns whether it was one of these. @param {string} key */
  key(key) {
    if (key in ARROWS) this.#wish.move(...ARROWS[key]);
    else if (key in FACTORS) this.#wish.zoom(FACTORS[key], { x: 0, y: 0 });
    else return false;
    return true;
  }

  /** @param {PointerEvent} event */
  #down({ pointerId, clientX, clientY }) {
    this.#place.setPointerCapture(pointerId);
    this.#pointers.set(pointerId, { x: clientX, y: clientY });
  }

  /** @param {PointerEvent} event */
  #moved({ pointerId, clientX, clientY }) {
    if (!this.#pointers.has(pointerId)) return;
    const before = this.#spread;
    this.#pointers.set(pointerId, { x: clientX, y: clientY });
    const after = this.#spread;
    if (before.apart) this.#wish.zoom(after.apart / before.apart, this.#at(after.x, after.y));
    this.#wish.move(after.x - before.x, after.y - before.y);
  }

  /** The centre of the pointers, and the distance of two. */
  get #spread() {
    const found = [...this.#pointers.values()].slice(0, 2);
    const x = found.reduce((sum, finger) => sum + finger.x, 0) / found.length;
    const y = found.reduce((sum, finger) => sum + finger.y, 0) / found.length;
    const apart = found.length === 2 ? Math.hypot(found[0].x - found[1].x, found[0].y - found[1].y) : 0;
    return { x, y, apart };
  }

  /** @param {WheelEvent} event */
  #wheeled(event) {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 33 : event.deltaY;
    const factor = Math.exp(-pixels * (event.ctrlKey ? TOUCHPAD : WHEEL));
    this.#wish.zoom(factor, this.#at(event.clientX, event.clientY));
  }

  /** @param {number} x @param {number} y */
  #at(x, y) {
    const { left, top, width, height } = this.#place.getBoundingClientRect();
    return { x: x - left - width / 2, y: y - top - height / 2 };
  }
}
