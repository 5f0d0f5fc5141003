import assert from "node:assert/strict";
import { test } from "node:test";
import { Formulas } from "../../static/chat/formulas.js";
import { Markdown } from "../../static/chat/markdown.js";
import { place } from "./dom.js";

/** @param {string} text */
function rendered(text) {
  const root = place();
  const markdown = new Markdown(root);
  markdown.write(text);
  markdown.finish();
  return root;
}

/** @param {string} text */
const formulas = (text) =>
  rendered(text)
    .all.filter(({ className }) => className === "math")
    .map(({ textContent }) => textContent.trim());

test("formulas are found in each of their four forms", () => {
  assert.deepEqual(
    formulas("So $a_1 + b_1$ and \\(c\\).\n\n$$I \\propto \\frac{1}{\\lambda^4}$$\n\n\\[\nx_1\ny_1\n\\]\n"),
    ["a_1 + b_1", "c", "I \\propto \\frac{1}{\\lambda^4}", "x_1\ny_1"],
  );
});

for (const text of [
  "It costs $5 and then $6.",
  "echo $HOME is set",
  "A lone $ sign, a $$ pair",
  "from $five\nto $six",
  "an open \\( bracket",
  "$$ never closed\n\nnext",
]) {
  test(`no formula, and nothing lost: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(formulas(text), []);
    const letters = (/** @type {string} */ of) => of.replace(/[\s\\]/g, "");
    assert.equal(letters(rendered(text).textContent), letters(text));
  });
}

test("code is left alone, in a line and in a block", () => {
  const text = "Run `echo $a$` or:\n\n```sh\necho $HOME $$ \\( $x$\n```\n\nthen $y$";
  assert.deepEqual(formulas(text), ["y"]);
  assert.match(rendered(text).textContent, /echo \$a\$.*echo \$HOME \$\$ \\\( \$x\$/s);
});

test("what stands after a formula is Markdown again", () => {
  const { outline } = rendered("$$x$$\n\n| a |\n|---|\n| 1 |\n\n**b**");
  assert.match(outline, /<table>/);
  assert.match(outline, /<strong>b<\/>/);
});

test("the same comes out, wherever the text is cut", () => {
  const text = "a $x$ `$` $$y$$ \\(z\\) \\[q\\] $5 $w\n```\n$v$\n```\n\\$ end $";
  const whole = new Formulas();
  const expected = whole.write(text) + whole.finish();
  for (let at = 0; at <= text.length; at++) {
    const cut = new Formulas();
    assert.equal(cut.write(text.slice(0, at)) + cut.write(text.slice(at)) + cut.finish(), expected, `at ${at}`);
  }
});

test("a megabyte of false starts takes no more than a moment", () => {
  const start = performance.now();
  for (const mark of ["\\(", "$a ", "$$ ", "\\[x", "`"]) new Formulas().write(mark.repeat(200_000));
  assert.ok(performance.now() - start < 5000);
});
