import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerLoader } from "../../static/chat/answer_loader.js";

class AnswerText {
  constructor(/** @type {HTMLElement} */ place) {
    this.place = place;
  }
}
const place = () => {
  const made = { cleared: 0, replaceChildren: () => void made.cleared++ };
  return /** @type {any} */ (made);
};

test("what writes answers is loaded once, however often it is asked for", async () => {
  let loads = 0;
  const loader = new AnswerLoader(async () => {
    loads += 1;
    return /** @type {any} */ ({ AnswerText });
  });
  assert.equal(loader.make(place()), null);
  await Promise.all([loader.load(), loader.load()]);
  assert.deepEqual([loader.isReady, loader.hasFailed, loads], [true, false, 1]);
});

test("the plain text that stood there gives way to the answer", async () => {
  const loader = new AnswerLoader(async () => /** @type {any} */ ({ AnswerText }));
  await loader.load();
  const element = place();
  assert.equal(/** @type {any} */ (loader.make(element)).place, element);
  assert.equal(element.cleared, 1);
});

test("a load that fails is tried again by the next call", async () => {
  let tries = 0;
  const loader = new AnswerLoader(async () => {
    tries += 1;
    if (tries === 1) throw new TypeError("Failed to fetch dynamically imported module");
    return /** @type {any} */ ({ AnswerText });
  });
  await loader.load();
  assert.deepEqual([loader.isReady, loader.hasFailed], [false, true]);
  await loader.load();
  assert.deepEqual([loader.isReady, loader.hasFailed], [true, false]);
});
