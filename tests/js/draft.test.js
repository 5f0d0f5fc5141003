import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../../static/chat/draft.js";

/** @returns {Storage} */
function storage() {
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => kept.set(name, value),
    removeItem: (/** @type {string} */ name) => kept.delete(name),
  });
}

test("a draft comes back after a reload, each conversation's own", () => {
  const kept = storage();
  new Draft(kept, "").keep("for a new chat", "r1");
  new Draft(kept, "c1").keep("for an old one");
  assert.deepEqual(new Draft(kept, "").read(), { text: "for a new chat", requestId: "r1", photos: [] });
  assert.deepEqual(new Draft(kept, "c1").read(), { text: "for an old one", requestId: "", photos: [] });
  new Draft(kept, "").keep("");
  assert.equal(new Draft(kept, "").read().text, "");
});

test("what is typed again keeps the key it was sent under, what is changed is a new message", () => {
  const draft = new Draft(storage(), "");
  draft.keep("why?", "r1");
  draft.type("why?");
  assert.deepEqual(draft.read(), { text: "why?", requestId: "r1", photos: [] });
  draft.type("why not?");
  assert.deepEqual(draft.read(), { text: "why not?", requestId: "", photos: [] });
});

test("photos are part of a draft: the same ones keep its key, others make it a new message", () => {
  const draft = new Draft(storage(), "");
  draft.keepPhotos(["a"]);
  draft.keep("", "r1");
  draft.keepPhotos(["a"]);
  assert.deepEqual(draft.read(), { text: "", requestId: "r1", photos: ["a"] });
  draft.type("what is this?");
  draft.keepPhotos(["a", "b"]);
  assert.deepEqual(draft.read(), { text: "what is this?", requestId: "", photos: ["a", "b"] });
  draft.clear();
  assert.deepEqual(draft.read(), { text: "", requestId: "", photos: [] });
});

test("a storage that is full, forbidden or holds nonsense costs nothing but the draft", () => {
  const broken = storage();
  broken.setItem("draft:new", "{");
  assert.equal(new Draft(broken, "").read().text, "");
  broken.setItem = () => {
    throw new Error("QuotaExceededError");
  };
  new Draft(broken, "").keep("text");
});

test("photos that were sent leave the draft, whatever was typed meanwhile", () => {
  const draft = new Draft(storage(), "");
  draft.keepPhotos(["a"]);
  draft.keep("what is this?", "r1");
  draft.type("and this?");
  draft.keepPhotos(["a", "b"]);
  draft.stored("r1", [{ attachment: "a" }]);
  assert.deepEqual(draft.read(), { text: "and this?", requestId: "", photos: ["b"] });
  draft.keep("and this?", "r2");
  draft.stored("r2", [{ attachment: "b" }]);
  assert.deepEqual(draft.read(), { text: "", requestId: "", photos: [] });
});
