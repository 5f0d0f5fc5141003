/** A model's text must never freeze or crash the tab: every text renders in bounded slices, with bounded elements. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Markdown } from "../../static/chat/markdown.js";
import { place } from "./dom.js";

const SIZE = 100_000;
/** One slice may take this long, in ms of this process's own CPU time: the machine may do other things besides. */
const SLICE = 200;
const PIECE = 2_000;
const MOST_ELEMENTS = 12_000;
const DEEPEST = 60;

/** @param {string} unit @param {number} [size] */
const filled = (unit, size = SIZE) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
const deep = Array.from({ length: 310 }, (_, depth) => `${"  ".repeat(depth)}- x`).join("\n");

/** @type {Record<string, string>} */
const TEXTS = {
  "3,000 quotations in each other": ">".repeat(3_000),
  "3,000 quotations with spaces": "> ".repeat(3_000),
  "100 KB of quotations in each other": filled(">"),
  "10,000 marks that never close": "*a _b ".repeat(10_000),
  "marks that close": filled("*a* "),
  "marks that nearly close": filled("*a_ b* _c*"),
  "stars alone": filled("*"),
  "stars and letters": filled("**a"),
  strikes: filled("~~a~"),
  "a table of 10,000 columns": `${"|a".repeat(10_000)}|\n${"|-".repeat(10_000)}|\n${"|b".repeat(10_000)}|\n`,
  "a table of empty cells": `${"|a".repeat(60)}|\n${"|-".repeat(60)}|\n${filled(`${"|".repeat(61)}\n`)}`,
  "heads of tables": filled("|a|b|\n"),
  "dashes of tables": filled("|-|-|\n"),
  "lists in each other": deep,
  "lists on one line": filled("- "),
  "numbers on one line": filled("1. "),
  "short items": filled("-\n"),
  "items and blanks": `- a${"\n".repeat(SIZE)}b`,
  "one long line": filled("a"),
  "one long line of words": filled("tick "),
  "one long line of spaces": `a${filled(" ")}b`,
  "a heading of spaces": `# a${filled(" ")}# b`,
  brackets: filled("["),
  "brackets that close": filled("[]"),
  "brackets in each other": `${"[".repeat(SIZE / 2)}${"]".repeat(SIZE / 2)}`,
  "links without an end": filled("[a]("),
  "links in each other": filled("[a](b "),
  "a long address": `[a](https://${filled("a")})`,
  "a long name": `[${filled("a")}](https://a.example)`,
  addresses: filled("https://a.example/ "),
  "one long address": `https://${filled("a.")}`,
  "addresses full of brackets": filled("https://a.example/((((( "),
  images: filled("!["),
  "names of addresses": filled("[a]: b\n"),
  footnotes: filled("[^a]: b\n"),
  ticks: filled("`"),
  "ticks of every length": Array.from({ length: 440 }, (_, length) => "`".repeat(length)).join(" "),
  fences: filled("```\n"),
  angles: filled("<a"),
  dollars: filled("$a "),
  "formulas that never end": filled("\\(a"),
  "formulas on their own lines": filled("$$\na\n"),
  "names of characters": filled("&a"),
  escapes: filled("\\"),
  rules: filled("---\n"),
  "lines under headings": filled("a\n=\n"),
  tabs: filled("\t"),
  "carriage returns": filled("\r"),
  "blank lines": filled("\n"),
  "one character a line": filled("a\n"),
  "joined characters": filled("👩‍👩‍👧‍👦"),
};

/** @param {string} text */
function check(text) {
  const root = place();
  const markdown = new Markdown(root, { code() {}, formula() {} });
  let longest = 0;
  const timed = (/** @type {() => void} */ step) => {
    const start = process.cpuUsage();
    step();
    const { user, system } = process.cpuUsage(start);
    longest = Math.max(longest, (user + system) / 1000);
  };
  for (let at = 0; at < text.length; at += PIECE) timed(() => markdown.write(text.slice(at, at + PIECE)));
  timed(() => markdown.finish());
  assert.ok(longest < SLICE, `a slice took ${longest.toFixed(0)} ms`);
  const elements = root.all;
  assert.ok(elements.length < MOST_ELEMENTS, `${elements.length} elements`);
  let depth = 0;
  for (const element of elements) {
    let found = 0;
    for (let up = element.parentElement; up; up = up.parentElement) found += 1;
    depth = Math.max(depth, found);
  }
  assert.ok(depth < DEEPEST, `${depth} elements inside each other`);
  return root;
}

for (const [name, text] of Object.entries(TEXTS)) test(`bounded: ${name}`, () => void check(text));

test("what goes beyond the bounds stays as it is written", () => {
  assert.match(check(`${filled("a\n\n")}\nend`).textContent, /end$/);
  assert.match(check(`${">".repeat(3_000)} end`).textContent, /end$/);
  assert.equal(check("|a".repeat(10_000)).textContent.length, 20_000);
});

/** Marsaglia's xorshift32: the same texts at every run. @param {number} seed */
function random(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const PARTS =
  "a b\u0000 \n|\n\n|> |- |* |_ |** |~~|`|```|```js\n|$|$$|\\(|\\)|\\[|[|](|)|](https://a.example)|![|[^1]|[^1]: |[a]: b\n||a|b|\n||-|-|\n|# |###### |    |\t|1. |10) |- [ ] |---\n|===\n|<|<br>|<https://a.example>|&amp;|&#x1f600;|\\|\\\n|https://a.example/(x)|👩‍👩‍👧‍👦|é|word |\u2028|  \n".split(
    "|",
  );

test("any 100 KB of marks renders in bounded slices (seeded)", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const next = random(seed * 7919);
    const few = Array.from({ length: 1 + next(6) }, () => PARTS[next(PARTS.length)]);
    let text = "";
    while (text.length < SIZE) text += (seed % 2 ? few : PARTS)[next((seed % 2 ? few : PARTS).length)];
    check(text.slice(0, SIZE));
  }
});

test("any text gives the same page, wherever its chunks are cut (seeded)", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const next = random(seed * 104_729);
    const blocks = "a\n\n".repeat(seed % 17); // so that some texts go over the end of a group
    const text = blocks + Array.from({ length: 5 + next(60) }, () => PARTS[next(PARTS.length)]).join("");
    const whole = place();
    const once = new Markdown(whole, { code() {}, formula() {} });
    once.write(text);
    once.finish();
    const root = place();
    const markdown = new Markdown(root, { code() {}, formula() {} });
    for (let at = 0; at < text.length; ) {
      const length = 1 + next(12);
      markdown.write(text.slice(at, at + length));
      at += length;
    }
    markdown.finish();
    assert.equal(root.outline, whole.outline, JSON.stringify(text));
  }
});
