import assert from "node:assert/strict";
import { test } from "node:test";
import { hindrance, sentence } from "../../static/chat/camera/problems.js";
import { failure } from "./browser_media.js";

const NAMES = ["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError", "SecurityError", "Odd"];

test("each reason for no camera is a sentence of its own that says what to do", () => {
  const sentences = [
    ...NAMES.map((name) => sentence(failure(name))),
    sentence(failure("NotAllowedError", "Permission denied by system")),
    hindrance({ isSecureContext: false, navigator: {} }),
    hindrance({ isSecureContext: true, navigator: {} }),
  ];
  assert.equal(new Set(sentences).size, sentences.length);
  for (const found of sentences) assert.match(found, /try again|button below|Open it|Take a photo/i);
});

test("an address on plain HTTP is told from a browser that has no camera for pages", () => {
  assert.match(hindrance({ isSecureContext: false, navigator: {} }), /HTTPS/);
  assert.match(hindrance({ isSecureContext: true, navigator: { mediaDevices: {} } }), /another browser/);
  assert.equal(hindrance({ isSecureContext: true, navigator: { mediaDevices: { getUserMedia() {} } } }), "");
});

test("a system that refuses is told from a page that was refused", () => {
  assert.match(sentence(failure("NotAllowedError", "Permission denied by system")), /system's privacy settings/);
  assert.match(sentence(failure("NotAllowedError", "Permission dismissed")), /sign beside the address/);
});
