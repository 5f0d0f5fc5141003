/**
 * Highlights complete blocks of code, one after the other: a worker makes the colours (code_worker.js), and the page
 * their elements, in a task of its own for each piece, taken when the browser is idle. Until then code is plain.
 */
import { load } from "./later.js";
import { CODE_WORKER, ownScript } from "./own_script.js";

/** @typedef {import("highlight").Leaf} Leaf */

/** Longer code is not highlighted: each of its characters costs memory. */
const LONGEST = 60_000;
/** The longest wait for an idle time, in ms. */
const PATIENCE = 200;

let painted = Promise.resolve();
/** @type {Worker | null} */
let worker = null;

/** @param {HTMLElement} code @param {string} language as the text names it */
export function paintCode(code, language) {
  if (!language || (code.textContent ?? "").length > LONGEST) return;
  painted = painted.then(() => paint(code, language)).catch(() => {}); // the code stays without colours
}

/** @param {HTMLElement} code @param {string} said */
async function paint(code, said) {
  const { ADDRESSES, languagesOf } = await load("languages");
  const languages = languagesOf(said).map((name) => [name, ADDRESSES[name]]);
  if (!languages.length) return;
  // Long code stands there in pieces (markdown/elements.js), short code as one text.
  const places = code.childElementCount ? /** @type {HTMLElement[]} */ ([...code.children]) : [code];
  const texts = places.map(({ textContent }) => textContent ?? "");
  const task = { text: texts.join(""), cuts: texts.map(({ length }) => length), languages };
  const pieces = await coloured({ ...task, core: import.meta.resolve("highlight") });
  void show(places, pieces); // the next block is coloured meanwhile
}

/** @param {HTMLElement[]} places @param {Leaf[]} pieces */
async function show(places, pieces) {
  for (const [at, { children }] of pieces.entries()) {
    await quiet(places[at]);
    places[at].replaceChildren(...children.map(element));
  }
}

/** The next idle time in which nothing of this is selected: the selection would be lost. @param {HTMLElement} place */
async function quiet(place) {
  await idle();
  while (isSelected(place)) {
    await new Promise((resolve) => document.addEventListener("selectionchange", resolve, { once: true }));
    await idle();
  }
}

/** @param {HTMLElement} place */
function isSelected(place) {
  const selection = getSelection();
  return selection && !selection.isCollapsed && selection.containsNode(place, true);
}

/** The code with its colours, by the worker. After a failure the next one is another, which loads everything anew.
 * @param {object} task @returns {Promise<Leaf[]>} */
async function coloured(task) {
  worker ??= new Worker(ownScript(CODE_WORKER), { type: "module" });
  const own = worker;
  /** @type {Leaf[] | null} */
  const pieces = await new Promise((resolve) => {
    own.onmessage = ({ data }) => resolve(data);
    own.onerror = () => resolve(null);
    own.postMessage(task);
  });
  if (pieces) return pieces;
  own.terminate();
  worker = null;
  throw new Error("The highlighter could not be loaded.");
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
 * @param {Leaf | string} leaf
 * @returns {Node}
 */
function element(leaf) {
  if (typeof leaf === "string") return document.createTextNode(leaf);
  const span = document.createElement("span");
  if (leaf.scope) span.className = `hl-${leaf.scope.replace(/[^a-z]+.*$/i, "")}`;
  span.append(...leaf.children.map(element));
  return span;
}
