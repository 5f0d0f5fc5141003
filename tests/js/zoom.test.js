import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, moved, part, WHOLE, zoomed } from "../../static/chat/camera/zoom.js";

const PHOTO = { width: 2000, height: 1000 };
const BOX = { width: 400, height: 400 };
const CENTRE = { x: 0, y: 0 };

test("at first the whole photo is shown", () => {
  assert.deepEqual(part(WHOLE, PHOTO, BOX), { x: 0, y: 0, width: 2000, height: 1000 });
});

test("what is under the fingers stays there while it grows", () => {
  const at = { x: 100, y: 0 }; // 3/4 of the way across: pixel 1500
  const view = zoomed(WHOLE, 4, at, PHOTO, BOX);
  const { x, width } = part(view, PHOTO, BOX);
  assert.equal(width, 500);
  assert.equal(x + width * ((at.x + BOX.width / 2) / BOX.width), 1500);
});

test("nothing beyond the photo's edges can be dragged in, and no larger or smaller than sense", () => {
  assert.deepEqual(zoomed(WHOLE, 0.1, CENTRE, PHOTO, BOX), WHOLE);
  assert.equal(zoomed(WHOLE, 100, CENTRE, PHOTO, BOX).scale, MOST);
  assert.deepEqual(moved(WHOLE, 50, 50, PHOTO, BOX), { scale: 1, x: 0, y: 0 });
  const corner = moved(zoomed(WHOLE, 4, CENTRE, PHOTO, BOX), 10_000, 10_000, PHOTO, BOX);
  assert.deepEqual(part(corner, PHOTO, BOX), { x: 0, y: 0, width: 500, height: 500 });
});
