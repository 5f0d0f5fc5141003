import assert from "node:assert/strict";
import { test } from "node:test";
import { visible } from "../../static/chat/camera/frame.js";

test("a photo has what the viewfinder shows: the middle of a picture that is wider or higher than its box", () => {
  const picture = { width: 1600, height: 900 };
  assert.deepEqual(visible(picture, { width: 450, height: 450 }), { x: 350, y: 0, width: 900, height: 900 });
  assert.deepEqual(visible(picture, { width: 800, height: 225 }), { x: 0, y: 225, width: 1600, height: 450 });
  assert.deepEqual(visible(picture, { width: 320, height: 180 }), { x: 0, y: 0, ...picture });
});

test("a phone that is turned gives a picture that is turned", () => {
  const upright = visible({ width: 1080, height: 1920 }, { width: 390, height: 520 });
  assert.ok(upright.height > upright.width);
});

test("a viewfinder without a size hides nothing of the picture", () => {
  assert.deepEqual(visible({ width: 4, height: 3 }, { width: 0, height: 0 }), { x: 0, y: 0, width: 4, height: 3 });
});
