/**
 * The worker that colours code: the highlighter and the grammars are loaded, compiled and run here, and never hold the
 * page up. It answers each task with pieces of a tree, or null if something could not be loaded (code.js).
 */

/** @typedef {import("highlight").Leaf} Leaf */
/** @typedef {{text: string, cuts: number[], core: string, languages: [string, string][]}} Task `cuts`: the lengths of
 *   the pieces; `core`: the highlighter's address; and the names and addresses of the language and of those inside it */

globalThis.onmessage = async ({ data }) => postMessage(await coloured(data).catch(() => null));

/** @param {Task} task @returns {Promise<Leaf[]>} */
export async function coloured({ text, cuts, core, languages }) {
  /** @type {typeof import("highlight")} */
  const { default: highlighter } = await import(core);
  const unknown = languages.filter(([name]) => !highlighter.getLanguage(name));
  const modules = await Promise.all(unknown.map(([, address]) => import(address)));
  for (const [at, [name]] of unknown.entries()) highlighter.registerLanguage(name, modules[at].default);
  const { _emitter: emitter } = highlighter.highlight(text, { language: languages[0][0], ignoreIllegals: true });
  return piecesOf(emitter.rootNode, cuts);
}

/** Cuts a tree; what goes on over a cut is in both pieces. @param {Leaf} root @param {number[]} cuts */
function piecesOf(root, cuts) {
  /** @type {Leaf[]} */
  const pieces = [];
  /** From the piece to the innermost leaf. @type {Leaf[]} */
  let open = [{ children: [] }];
  let left = 0;

  const begin = () => {
    left = cuts[pieces.length];
    open = open.map(({ scope }) => ({ scope, children: [] }));
    for (const [depth, leaf] of open.entries()) (depth ? open[depth - 1].children : pieces).push(leaf);
  };
  /** @param {string} text */
  const write = (text) => {
    if (!left) begin();
    const part = text.slice(0, left);
    open[open.length - 1].children.push(part);
    left -= part.length;
    if (part.length < text.length) write(text.slice(part.length));
  };
  /** @param {Leaf | string} leaf */
  const add = (leaf) => {
    if (typeof leaf === "string") return write(leaf);
    const made = { scope: leaf.scope, children: [] };
    open[open.length - 1].children.push(made);
    open.push(made);
    leaf.children.forEach(add);
    open.pop();
  };
  root.children.forEach(add);
  return pieces;
}
