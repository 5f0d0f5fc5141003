/**
 * Colours for a block of code that is whole, once the highlighter is loaded.
 */

/** Longer code stays as it is: colours are not worth a frozen page. */
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
 * A node of the highlighter's own tree as an element: its HTML is never used.
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
