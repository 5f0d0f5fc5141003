import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_MARKS, marksIn, place } from "../../static/chat/camera/marks.js";
import { mayPoint } from "../../static/chat/camera/photo_loader.js";

const CAT = '{"box_2d": [100, 200, 500, 800], "label": "cat"}';
const FOUND = { label: "cat", left: 0.2, top: 0.1, width: 0.6, height: 0.4 };

/** @param {Mark[]} marks */
const rounded = (marks) =>
  marks.map((mark) =>
    Object.fromEntries(
      Object.entries(mark).map(([name, value]) => [name, typeof value === "number" ? +value.toFixed(3) : value]),
    ),
  );

/** Texts that all point at the same cat. @type {Record<string, string>} */
const SAME = {
  "a list in a code fence": `Here:\n\`\`\`json\n[${CAT}]\n\`\`\`\nThat is all.`,
  "a list without a fence": `[${CAT}]`,
  "one object": CAT,
  "an object in prose": `The cat is here: ${CAT}, on the sofa.`,
  "a list inside an object": `{"objects": [${CAT}], "count": 1}`,
  "a list that breaks off": `[${CAT}, {"box_2d": [1, 2, 3`,
  "trailing commas": '[{"box_2d": [100, 200, 500, 800,], "label": "cat",},]',
  "single quotes": "[{'box_2d': [100, 200, 500, 800], 'label': 'cat'}]",
  "numbers as text": '{"box_2d": ["100", "200", "500", "800"], "label": " cat "}',
  "corners in the other order": '{"box_2d": [500, 800, 100, 200], "label": "cat"}',
  "several lines":
    '[\n  {\n    "label": "cat",\n    "box_2d": [\n      100,\n      200,\n      500,\n      800\n    ]\n  }\n]',
  "another object inside": '{"box_2d": [100, 200, 500, 800], "label": "cat", "about": {"colour": "grey"}}',
  "a list of one box": '{"box_2d": [[100, 200, 500, 800]], "label": "cat"}',
  "a brace in prose before": `{ see "below\n[${CAT}]`,
  "a mask beside it": '{"box_2d": [100, 200, 500, 800], "mask": "data:image/png;base64,iVBO{}", "label": "cat"}',
  "other keys for the label": '{"name": "cat", "box_2d": [100, 200, 500, 800]}',
  "an entry that cannot be read before it": `[{"box_2d": oops}, ${CAT}]`,
};

for (const [name, text] of Object.entries(SAME)) {
  test(`boxes are found in ${name}`, () => {
    assert.ok(mayPoint(text));
    assert.deepEqual(rounded(marksIn(text)), [FOUND]);
  });
}

test("points are boxes without a size, and several of one entry share its label", () => {
  assert.deepEqual(rounded(marksIn('[{"point": [250, 750], "label": "eye"}]')), [
    { label: "eye", left: 0.75, top: 0.25, width: 0, height: 0 },
  ]);
  assert.equal(marksIn('{"points": [[1, 2], [3, 4]], "label": "legs"}').length, 2);
});

test("a label may hold braces, quotes and any script, and is cut to a line", () => {
  const label = 'a {red} "cup" 赤いカップ';
  assert.equal(marksIn(JSON.stringify([{ box_2d: [1, 2, 3, 4], label }]))[0].label, label);
  assert.equal(marksIn(JSON.stringify([{ box_2d: [1, 2, 3, 4], label: "x".repeat(500) }]))[0].label.length, 80);
});

test("what is no box is left out, and a side beyond the photo ends at its edge", () => {
  for (const box of ["[1, 2, 3]", "[1, 2, 3, null]", '[1, 2, 3, ""]', '["a", 1, 2, 3]', '"1, 2, 3, 4"', "{}", "null"]) {
    assert.deepEqual(marksIn(`{"box_2d": ${box}, "label": "x"}`), [], box);
  }
  assert.deepEqual(rounded(marksIn('{"box_2d": [-50, 0, 1200, 1000]}')), [
    { label: "", left: 0, top: 0, width: 1, height: 1 },
  ]);
});

test("prose and other JSON point at nothing", () => {
  for (const text of ["", "A box_2d is four numbers.", '{"label": "cat"}', "```js\nlet point = [1, 2];\n```"]) {
    assert.deepEqual(marksIn(text), [], text);
  }
});

test("a long answer gives its first marks, and one that was made to be slow is read in one pass", () => {
  assert.equal(marksIn(`[${Array(500).fill(CAT).join(",")}]`).length, MOST_MARKS);
  const started = performance.now();
  assert.deepEqual(marksIn(`${'{"a":'.repeat(40_000)}{"box_2d": x}${"}".repeat(40_000)}`), []);
  assert.deepEqual(marksIn('{"box_2d": ['.repeat(20_000)), []);
  assert.ok(performance.now() - started < 1000);
});

test("a mark's place is said in words", () => {
  assert.equal(place({ label: "", left: 0, top: 0, width: 0.2, height: 0.2 }), "top left, 4 % of the photo");
  assert.equal(place({ label: "", left: 0.5, top: 0.5, width: 0, height: 0 }), "middle center");
  assert.equal(
    place({ label: "", left: 0.9, top: 0.99, width: 0.05, height: 0.01 }),
    "bottom right, less than 1 % of the photo",
  );
});
