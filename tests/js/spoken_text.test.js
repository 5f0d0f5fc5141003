import assert from "node:assert/strict";
import { test } from "node:test";
import { languageOf, SpokenText } from "../../static/chat/voice/spoken_text.js";

/** All sentences of a text that arrives in such pieces. @param {string} text @param {number} size */
function spoken(text, size = 7) {
  const reader = new SpokenText();
  const found = [];
  for (let at = 0; at < text.length; at += size) found.push(...reader.write(text.slice(at, at + size)));
  return [...found, ...reader.finish()];
}

/** @type {Record<string, [string, string[]]>} */
const CASES = {
  "sentences end where they end": ["It rains. Take a coat! Why? So.", ["It rains.", "Take a coat!", "Why?", "So."]],
  "abbreviations and initials end none": [
    "Dr. Smith met J. R. Ewing, e.g. at 5 p.m. on Monday. Then he left.",
    ["Dr. Smith met J. R. Ewing, e.g. at 5 p.m. on Monday.", "Then he left."],
  ],
  "numbers keep their point": ["Pi is 3.14. It is 3,5 m.", ["Pi is 3.14.", "It is 3,5 m."]],
  "German ordinals and abbreviations": [
    "Am 3. Oktober, z. B. in Köln, wird gefeiert. Auch bzw. gerade dort.",
    ["Am 3. Oktober, z. B. in Köln, wird gefeiert.", "Auch bzw. gerade dort."],
  ],
  "Chinese and Japanese need no space": ["这是猫。很可爱！", ["这是猫。", "很可爱！"]],
  "closing quotes belong to their sentence": ["「はい。」と言った。次。", ["「はい。」", "と言った。", "次。"]],
  "lines end sentences": [
    "# A title\n\nText without a stop\n- one\n- two",
    ["A title", "Text without a stop", "one", "two"],
  ],
  "code is left out": ["Try this:\n```js\nlet x = 1. Then;\n```\nDone.", ["Try this:", "Done."]],
  "a fence of tildes and an open fence too": ["A.\n~~~\nx. Y.\n~~~\nB.\n```\nnever ends. No.", ["A.", "B."]],
  "formulas are left out": ["So:\n$$\nE = mc^2\n$$\nand $x$ grows.", ["So:", "and grows."]],
  "emphasis, links and code in a line are read as text": [
    "The **big** _cat_ reads `snake_case` at [the site](https://example.com/a?b). See https://www.example.org/x/y too.",
    ["The big cat reads snake_case at the site.", "See example.org too."],
  ],
  "a table is read by rows": ["| a | b |\n|---|---|\n| 1 | 2 |\n", ["a, b", "1, 2"]],
  "signs without words are not read": ["---\n***\n🎉\nYes 🎉.", ["Yes ."]],
  "inline code at a line's start": ["`x` is one. Two.", ["x is one.", "Two."]],
};

for (const [name, [text, sentences]] of Object.entries(CASES)) {
  test(name, () => {
    for (const size of [1, 2, 7, 1000]) assert.deepEqual(spoken(text, size), sentences, `in pieces of ${size}`);
  });
}

test("a sentence is given as soon as the next one begins, not when the answer ends", () => {
  const reader = new SpokenText();
  assert.deepEqual(reader.write("It is a cat. "), []);
  assert.deepEqual(reader.write("I"), ["It is a cat."]);
});

test("a sentence that is too long for a voice is cut where one breathes, and loses nothing", () => {
  const text = `${"several words that go on and on, ".repeat(20)}and end here.`;
  const found = spoken(text);
  assert.ok(found.length > 3);
  assert.ok(found.every((sentence) => sentence.length <= 160));
  assert.equal(found.join(" "), text);
  assert.equal(spoken("長".repeat(500)).join(""), "長".repeat(500));
});

test("a sentence is read in its own script's language, else in the reader's", () => {
  assert.equal(languageOf("これは猫です", "en-GB"), "ja");
  assert.equal(languageOf("这是猫", "zh-TW"), "zh-TW");
  assert.equal(languageOf("Это кошка", "de"), "ru");
  assert.equal(languageOf("Das ist eine Katze", "de-AT"), "de-AT");
});
