import assert from "node:assert/strict";
import { test } from "node:test";
import { coloured } from "../../static/chat/code_worker.js";

/** @typedef {import("highlight").Leaf} Leaf */
const PACKAGE = "@highlightjs/cdn-assets/es";

/** What the worker makes of this code in pieces. @param {string[]} pieces @param {string} [grammar] */
function made(pieces, grammar = "python") {
  /** @type {[string, string][]} */
  const languages = [["python", import.meta.resolve(`${PACKAGE}/languages/${grammar}.min.js`)]];
  const cuts = pieces.map(({ length }) => length);
  return coloured({ text: pieces.join(""), cuts, core: import.meta.resolve(`${PACKAGE}/core.min.js`), languages });
}

/** @param {Leaf | string} leaf @returns {string} */
const textOf = (leaf) => (typeof leaf === "string" ? leaf : leaf.children.map(textOf).join(""));

/** @param {Leaf} leaf @returns {any[]} */
const scopesOf = ({ children }) =>
  children.flatMap((leaf) => (typeof leaf === "string" ? [] : [[leaf.scope, ...scopesOf(leaf)]]));

test("a language that cannot be loaded is tried again with the next code", async () => {
  await assert.rejects(made(["print(1)"], "nothing"));
  assert.equal((await made(["print(1)"])).length, 1);
});

test("the pieces are those of the page, and what goes on over a cut is in both", async () => {
  const cut = ["x = 1\n", 'y = f"""one\n', "two {x", '}\n"""\n', "z = 3"];
  const pieces = await made(cut);
  assert.deepEqual(pieces.map(textOf), cut);
  assert.deepEqual(pieces.map(scopesOf), [
    [["number"]],
    [["string"]],
    [["string", ["subst"]]],
    [["string", ["subst"]]],
    [["number"]],
  ]);
});
