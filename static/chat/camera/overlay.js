/**
 * Shows an answer's boxes and points over the question's photo, and as a list in words.
 */

import { t } from "../words.js";
import { marksIn, place } from "./marks.js";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 6;

/**
 * Draws the answer's marks under its text once the photo is loaded, so that the layout does not shift; nothing without
 * marks.
 * @param {HTMLElement} article the answer's
 * @param {HTMLImageElement[]} images the photos that were asked about
 * @param {string} text
 */
export async function point(article, images, text) {
  const marks = marksIn(text);
  if (!marks.length || !images.length) return;
  for (const code of article.querySelectorAll("[data-part=text] figure")) {
    if (marksIn(code.textContent ?? "").length) code.classList.add("points");
  }
  const figure = element("figure", "pointed");
  figure.append(still(await photoOf(images[0]), marks), list(marks, images.length));
  article.querySelector("[data-part=text]")?.after(figure);
}

/** A copy of the question's photo, once it is loaded. @param {HTMLImageElement} asked */
async function photoOf(asked) {
  if (!asked.complete || !asked.src)
    await new Promise((resolve) => asked.addEventListener("load", resolve, { once: true }));
  const image = document.createElement("img");
  image.alt = t("The photo that was asked about; what the answer points at is listed below");
  image.src = asked.src;
  await image.decode().catch(() => {}); // let go meanwhile: the list in words stays
  return image;
}

/** @param {HTMLImageElement} image @param {Mark[]} marks */
function still(image, marks) {
  const frame = element("div", "frame");
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 1 1");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(...marks.map(rectangle));
  frame.append(image, drawing, ...marks.map(badge));
  return frame;
}

/** @param {Mark} mark @param {number} at */
function rectangle({ left, top, width, height }, at) {
  const shape = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x: left, y: top, width, height })) {
    shape.setAttribute(name, String(value));
  }
  shape.setAttribute("class", colour(at));
  return shape;
}

/** The mark's number: at a box's upper left corner, or on the point. @param {Mark} mark @param {number} at */
function badge({ left, top, width, height }, at) {
  const sign = element("span", `badge ${colour(at)}`);
  sign.textContent = String(at + 1);
  sign.ariaHidden = "true";
  sign.toggleAttribute("data-point", !width || !height);
  sign.style.insetInlineStart = `${left * 100}%`;
  sign.style.insetBlockStart = `${top * 100}%`;
  return sign;
}

/** @param {Mark[]} marks @param {number} photos */
function list(marks, photos) {
  const caption = element("figcaption", "");
  const rows = document.createElement("ol");
  rows.append(
    ...marks.map((mark) => {
      const row = document.createElement("li");
      const label = document.createElement("strong");
      label.textContent = mark.label || t("Unnamed");
      label.dir = "auto";
      row.append(label, ` ${place(mark)}`);
      return row;
    }),
  );
  caption.append(rows);
  if (photos > 1) caption.append(t("The answer does not say which photo it means: this is the first."));
  return caption;
}

/** @param {number} at */
const colour = (at) => `mark-${at % COLOURS}`;

/** @param {string} tag @param {string} name */
function element(tag, name) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}
