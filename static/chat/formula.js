/**
 * Formulas as MathML: Temml is loaded with the first one, and until then, or where it cannot read one, TeX stands there.
 */

/** Temml's bounds: how often a macro may expand, and how large, in em, anything may be. @type {import("temml").Options} */
const BOUNDS = { maxExpand: 200, maxSize: [50, 50], trust: false, throwOnError: true };

/** @param {HTMLElement} place with the formula in TeX @param {boolean} isBlock */
export async function paintFormula(place, isBlock) {
  const tex = place.textContent ?? "";
  try {
    const { default: temml } = await import("temml");
    const made = document.createElement("span");
    temml.render(tex, made, { ...BOUNDS, displayMode: isBlock });
    place.replaceChildren(...made.childNodes);
  } catch {
    place.dataset.unread = ""; // no formula that Temml knows, or no Temml: its TeX stays
  }
}
