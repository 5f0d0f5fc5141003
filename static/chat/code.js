/**
 * Highlights complete blocks of code, one after the other. The highlighter and the languages are loaded when they are
 * first needed. Every step is a task of its own, taken when the browser is idle: at once they would hold a phone up.
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

/** @param {HTMLElement} code @param {string} said */
async function paint(code, said) {
  const { languagesOf } = await load("languages");
  const languages = languagesOf(said);
  if (!languages.length) return;
  const { default: highlighter } = await load("highlight");
  await learn(highlighter, languages);
  await idle();
  const text = code.textContent ?? "";
  const { _emitter: emitter } = highlighter.highlight(text, { language: languages[0], ignoreIllegals: true });
  await idle();
  code.replaceChildren(...emitter.rootNode.children.map(element));
}

/** Loads those that are new, all at once, and compiles them, one in each task.
 * @param {Modules["highlight"]["default"]} highlighter @param {string[]} languages */
async function learn(highlighter, languages) {
  const { grammarOf } = await load("languages");
  const unknown = languages.filter((name) => !highlighter.getLanguage(name));
  const grammars = await Promise.all(unknown.map(grammarOf));
  for (const [at, name] of unknown.entries()) {
    await idle();
    highlighter.registerLanguage(name, grammars[at]);
    highlighter.highlight("", { language: name });
  }
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
