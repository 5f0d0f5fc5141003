import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { titleOf } from "../../static/chat/turn.js";

/** @type {{titles: {question: string, title: string}[]}} also the server's, in tests/unit/test_titles.py */
const { titles } = JSON.parse(readFileSync(new URL("../titles.json", import.meta.url), "utf8"));

for (const { question, title } of titles) {
  test(`the first title ${JSON.stringify(title)} is the server's`, () => assert.equal(titleOf(question, []), title));
}
