/**
 * Highlights complete blocks of code, once the highlighter is loaded.
 */

/** Longer code is not highlighted, since that would block the page. */
const LONGEST = 60_000;

/** @param {HTMLElement} code @param {string} language as the text names it */
export async function paintCode(code, language) {
  const text = code.textContent ?? "";
  if (!language || text.length > LONGEST) return;
  const highlighter = await import("highlight").then(
    (loaded) => loaded.default,
    () => null, // the code stays without colours
  );
  if (!highlighter?.getLanguage(language)) return;
  const { _emitter: emitter } = highlighter.highlight(text, { language, ignoreIllegals: true });
  code.replaceChildren(...emitter.rootNode.children.map(element));
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
