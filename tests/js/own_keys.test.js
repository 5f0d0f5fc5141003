import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../static/chat/own_keys.js";

const KEY = {
  id: "1",
  name: "laptop",
  hint: "wc_abcde",
  scopes: ["chat", "read"],
  created_at: "2026-11-01T12:00:00Z",
  expires_at: null,
  last_used_at: null,
};
const NOW = new Date("2026-11-27T12:00:00Z");
/** @param {object} more */
const said = (more) => facts({ ...KEY, ...more }, NOW).join(" · ");

test("a key that was not used yet and has no end says just that", () => {
  assert.match(said({}), /^Made .*2026 · Never used$/);
});

test("its end is to come, or over", () => {
  assert.match(said({ expires_at: "2026-11-28T12:00:00Z" }), / · Never used · Ends .*2026$/);
  assert.match(said({ expires_at: "2026-11-26T12:00:00Z" }), / · Never used · Ended .*2026$/);
});

test("its last use is told, and that it only reads", () => {
  assert.match(said({ last_used_at: "2026-11-20T12:00:00Z", scopes: ["read"] }), / · Last used .*2026 · only reads$/);
});
