import assert from "node:assert/strict";
import { test } from "node:test";
import { copy } from "../../static/chat/clipboard.js";

/** A document whose browser copies what is selected, or refuses; with what it has open in front of it.
 * @param {boolean} allows @param {object | null} [dialog] */
function page(allows, dialog = null) {
  const field = { value: "", className: "", isSelected: false, select() {}, remove() {} };
  const copied = /** @type {string[]} */ ([]);
  const focused = { count: 0, focus: () => (focused.count += 1), closest: () => dialog };
  const document = {
    activeElement: focused,
    body: { append() {} },
    createElement: () => field,
    execCommand() {
      if (allows) copied.push(field.value);
      return allows;
    },
  };
  return { copied, focused, document: /** @type {any} */ (document) };
}

test("a text is copied by the browser's clipboard where there is one", async () => {
  const written = /** @type {string[]} */ ([]);
  const { copied, document } = page(true);
  await copy("x", { clipboard: { writeText: async (text) => void written.push(text) }, document });
  assert.deepEqual([written, copied], [["x"], []]);
});

test("on plain HTTP there is none, and the text is copied all the same, with the focus where it was", async () => {
  const { copied, document, focused } = page(true);
  await copy("a\n**b**", { clipboard: undefined, document });
  assert.deepEqual([copied, focused.count], [["a\n**b**"], 1]);
});

test("in front of the page, what is copied is selected in the open dialog", async () => {
  const fields = /** @type {any[]} */ ([]);
  const dialog = { append: (/** @type {any} */ field) => fields.push(field) };
  await copy("a key", { clipboard: undefined, document: page(true, dialog).document });
  assert.deepEqual(
    fields.map(({ value }) => value),
    ["a key"],
  );
});

test("a clipboard that refuses is gone around", async () => {
  const { copied, document } = page(true);
  await copy("x", { clipboard: { writeText: () => Promise.reject(new Error("NotAllowedError")) }, document });
  assert.deepEqual(copied, ["x"]);
});

test("where no page may copy, it says what to do", async () => {
  await assert.rejects(copy("x", { clipboard: undefined, document: page(false).document }), /copy it by hand/);
});
