/**
 * Highlights complete blocks of code, once the highlighter is loaded: one after the other, each when the browser is idle.
 */

import { load } from "./later.js";

/** Longer code is not highlighted, since that would block the page. */
const LONGEST = 60_000;
/** The longest wait for an idle time, in ms. */
const PATIENCE = 200;

let painted = Promise.resolve();

/** @param {HTMLElement} code @param {string} language as the text names it */
export function paintCode(code, language) {
  if (!language || (code.textContent ?? "").length > LONGEST) return;
  painted = painted.then(() => paint(code, language)).catch(() => {}); // the code stays without colours
}

/** @param {HTMLElement} code @param {string} language */
async function paint(code, language) {
  const { default: highlighter } = await load("highlight");
  if (!highlighter.getLanguage(language)) return;
  await idle();
  const text = code.textContent ?? "";
  const { _emitter: emitter } = highlighter.highlight(text, { language, ignoreIllegals: true });
  code.replaceChildren(...emitter.rootNode.children.map(element));
}

/** @returns {Promise<unknown>} */
function idle() {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in window) requestIdleCallback(resolve, { timeout: PATIENCE });
    else setTimeout(resolve);
  });
}

/**
 * Converts a node of the highlighter's tree to an element; its HTML is never used.
 * @param {import("highlight").Leaf | string} leaf
 * @returns {Node}
 */
function element(leaf) {
  if (typeof leaf === "string") return document.createTextNode(leaf);
  const span = document.createElement("span");
  if (leaf.scope) span.className = `hl-${leaf.scope.replace(/[^a-z]+.*$/i, "")}`;
  span.append(...leaf.children.map(element));
  return span;
}
