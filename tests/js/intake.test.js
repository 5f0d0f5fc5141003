import assert from "node:assert/strict";
import { test } from "node:test";
import { pasted } from "../../static/chat/intake.js";

/** @param {[string, string][]} files @param {string} [text] @returns {DataTransfer} */
const clipboard = (files, text = "") =>
  /** @type {any} */ ({ files: files.map(([name, type]) => ({ name, type })), getData: () => text });
/** @param {[string, string][]} files @param {string} [text] */
const names = (files, text) => pasted(clipboard(files, text)).map(({ name }) => name);

test("a picture is taken, and a text that is copied with a picture of it is pasted as text", () => {
  assert.deepEqual(names([["image.png", "image/png"]]), ["image.png"]);
  assert.deepEqual(names([["image.png", "image/png"]], "a\tb\n1\t2"), []);
  assert.deepEqual(names([], "words"), []);
});

test("files are taken though their names are copied as text", () => {
  const files = /** @type {[string, string][]} */ ([
    ["a.jpg", "image/jpeg"],
    ["b.jpg", "image/jpeg"],
  ]);
  assert.deepEqual(names(files, "a.jpg\nb.jpg"), ["a.jpg", "b.jpg"]);
});

test("one picture in several forms is one, several pictures are several", () => {
  assert.deepEqual(
    names([
      ["image.png", "image/png"],
      ["image.bmp", "image/bmp"],
    ]),
    ["image.png"],
  );
  assert.deepEqual(
    names([
      ["image.png", "image/png"],
      ["image.png", "image/png"],
    ]),
    ["image.png", "image.png"],
  );
});
