/** The review by keyboard: which keys do what, and which do nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { listen } from "../../static/chat/review.js";

/** A page of three entries, links to both sides, a form; and what was done with them. */
function rig() {
  /** @type {string[]} */
  const done = [];
  /** @type {any} */
  const page = { activeElement: null };
  const entries = ["a", "b", "c"].map((name) => {
    const link = {
      name,
      contains: (/** @type {unknown} */ element) => element === link,
      focus: () => {
        page.activeElement = link;
        done.push(`focus ${name}`);
      },
    };
    return { querySelector: () => link };
  });
  /** @type {Record<string, any>} */
  const found = {
    ".session a[rel=next]": { click: () => done.push("next") },
    ".session a[rel=prev]": { click: () => done.push("prev") },
    "form.verdict": { requestSubmit: () => done.push("file") },
  };
  for (const score of ["1", "2", "3", "4", "5"]) {
    found[`.verdict input[name=score][value="${score}"]`] = {
      set checked(/** @type {boolean} */ _) {
        done.push(`score ${score}`);
      },
    };
  }
  /** @type {(event: any) => unknown} */
  let heard = () => {};
  Object.assign(page, {
    addEventListener: (/** @type {string} */ _, /** @type {typeof heard} */ call) => {
      heard = call;
    },
    querySelectorAll: () => entries,
    querySelector: (/** @type {string} */ selector) => found[selector] ?? null,
  });
  listen(page);
  /** @param {string} key @param {object} [more] */
  const press = (key, more = {}) => heard({ key, target: null, preventDefault() {}, ...more });
  return { done, found, press };
}

test("j and k move through the list and stop at its ends", () => {
  const { done, press } = rig();
  for (const key of ["j", "j", "j", "j", "k"]) press(key);
  assert.deepEqual(done, ["focus a", "focus b", "focus c", "focus c", "focus b"]);
});

test("k alone begins at the end", () => {
  const { done, press } = rig();
  press("k");
  assert.deepEqual(done, ["focus c"]);
});

test("n and p turn over, digits score, Ctrl+Enter and ⌘+Enter file", () => {
  const { done, press } = rig();
  for (const key of ["n", "p", "1", "5", "6", "x"]) press(key);
  press("Enter", { ctrlKey: true });
  press("Enter", { metaKey: true });
  press("Enter");
  assert.deepEqual(done, ["next", "prev", "score 1", "score 5", "file", "file"]);
});

test("at the last answer n does nothing", () => {
  const { done, found, press } = rig();
  delete found[".session a[rel=next]"];
  press("n");
  assert.deepEqual(done, []);
});

test("while something is typed only Ctrl+Enter is heard", () => {
  const { done, press } = rig();
  const target = { matches: () => true };
  for (const key of ["j", "n", "4"]) press(key, { target });
  press("Enter", { target, ctrlKey: true });
  assert.deepEqual(done, ["file"]);
});

test("keys with other modifiers are the browser's", () => {
  const { done, press } = rig();
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }]) press("n", more);
  assert.deepEqual(done, []);
});

test("a digit chooses what a pair's form offers for it", () => {
  const { done, found, press } = rig();
  delete found['.verdict input[name=score][value="2"]'];
  found['.verdict input[data-key="2"]'] = {
    set checked(/** @type {boolean} */ _) {
      done.push("right");
    },
  };
  press("2");
  assert.deepEqual(done, ["right"]);
});
