import assert from "node:assert/strict";
import { test } from "node:test";
import { ADDRESSES, languagesOf } from "../../static/chat/languages.js";

const PACKAGE = "@highlightjs/cdn-assets/es";
/** @type {any} */
const highlighter = (await import(`${PACKAGE}/core.min.js`)).default;
for (const [name, address] of Object.entries(ADDRESSES)) {
  const [, file] = address.split("/static/vendor/highlight/");
  highlighter.registerLanguage(name, (await import(`${PACKAGE}/${file}`)).default);
}

/** The languages that a grammar hands parts of its code to. @param {any} rule @param {Set<any>} seen @returns {string[]} */
function inside(rule, seen = new Set()) {
  if (!rule || typeof rule !== "object" || seen.has(rule)) return [];
  seen.add(rule);
  return [...[rule.subLanguage ?? []].flat(), ...Object.values(rule).flatMap((each) => inside(each, seen))];
}

test("every language is found by each of its names, whatever their case", () => {
  for (const name of Object.keys(ADDRESSES)) {
    for (const said of [name, name.toUpperCase(), ...(highlighter.getLanguage(name).aliases ?? [])])
      assert.equal(languagesOf(said)[0], name, said);
  }
});

test("a language comes with all that can stand inside it", () => {
  for (const name of Object.keys(ADDRESSES)) {
    const found = new Set([name]);
    for (const each of found)
      for (const inner of inside(highlighter.getLanguage(each).rawDefinition())) if (ADDRESSES[inner]) found.add(inner);
    assert.deepEqual(new Set(languagesOf(name)), found, name);
  }
});

test("text of no language that is known stays plain", () => {
  for (const said of ["", "text", "plaintext", "klingon", "constructor", "__proto__"])
    assert.deepEqual(languagesOf(said), [], said);
});
