/**
 * Renders formulas as MathML. Temml is loaded for the first one; until then, or if it fails, the TeX is shown.
 */

import { load } from "./later.js";

/** Temml's limits: macro expansions, and the largest size in em. @type {import("temml").Options} */
const BOUNDS = { maxExpand: 200, maxSize: [50, 50], trust: false, throwOnError: true };

/** @param {HTMLElement} place contains the TeX @param {boolean} isBlock */
export async function paintFormula(place, isBlock) {
  const tex = place.textContent ?? "";
  try {
    const { default: temml } = await load("temml");
    const made = document.createElement("span");
    temml.render(tex, made, { ...BOUNDS, displayMode: isBlock });
    place.replaceChildren(...made.childNodes);
  } catch {
    place.dataset.unread = ""; // no formula that Temml knows, or no Temml: its TeX stays
  }
}
