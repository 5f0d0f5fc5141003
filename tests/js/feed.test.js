import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed, other } from "../../static/chat/camera/feed.js";
import { FakeMedia, FakeTrack, failure, promised } from "./browser_media.js";

/** @type {Source} */
const FRONT = { kind: "camera", facing: "user", device: "" };
/** @type {Source} */
const SCREEN = { kind: "screen", facing: "environment", device: "" };

/** A feed and the devices behind it. */
function set() {
  const media = new FakeMedia();
  let ended = 0;
  const feed = new Feed({ media: /** @type {any} */ (media), ended: () => ended++ });
  return { media, feed, ended: () => ended };
}

test("a camera that is opened in place of another never stands open beside it", async () => {
  const { media, feed } = set();
  await feed.open();
  await feed.open(FRONT);
  assert.deepEqual(
    media.tracks.map(({ readyState }) => readyState),
    ["ended", "live"],
  );
  feed.close();
  assert.equal(media.live, 0);
});

test("a permission that is given after the camera was closed opens nothing", async () => {
  const { media, feed } = set();
  const { promise, resolve } = promised();
  media.next.push(promise);
  const opening = feed.open();
  feed.close();
  resolve(new FakeTrack());
  assert.equal(await opening, false);
  assert.equal(media.live, 0);
  assert.equal(feed.isLive, false);
});

test("of two requests only the newer one's camera stays open, whichever is answered first", async () => {
  const { media, feed } = set();
  const { promise, resolve } = promised();
  media.next.push(promise, new FakeTrack({ settings: { deviceId: "newer" } }));
  const older = feed.open();
  await feed.open(FRONT);
  resolve(new FakeTrack({ settings: { deviceId: "older" } }));
  assert.equal(await older, false);
  assert.equal(media.live, 1);
  assert.equal(feed.settings.deviceId, "newer");
});

test("the camera stays open while a screen is chosen, and when none is", async () => {
  const { media, feed } = set();
  await feed.open();
  media.next.push(failure("NotAllowedError"));
  await assert.rejects(feed.open(SCREEN));
  assert.ok(feed.isLive);
  assert.equal(feed.source.kind, "camera");
  await feed.open(SCREEN);
  assert.equal(media.live, 1);
  assert.equal(feed.source.kind, "screen");
});

test("a wish that no camera can fulfil is asked again without it", async () => {
  const { media, feed } = set();
  media.next.push(failure("OverconstrainedError"));
  await feed.open({ kind: "camera", facing: "environment", device: "unplugged" });
  assert.ok(feed.isLive);
  assert.deepEqual(media.asked[1], { video: true, audio: false });
});

test("a camera that is unplugged is told once and leaves nothing open; one that is closed tells nothing", async () => {
  const { media, feed, ended } = set();
  await feed.open();
  media.tracks[0].vanish();
  assert.equal(ended(), 1);
  assert.equal(feed.stream, null);
  await feed.open();
  feed.close();
  media.tracks[1].vanish();
  assert.equal(ended(), 1);
});

test("only a camera that looks at its user is shown as a mirror", async () => {
  const { media, feed } = set();
  /** @type {[object, string, boolean][]} */
  const cases = [
    [{ facingMode: "user" }, "", true],
    [{ facingMode: "environment" }, "", false],
    [{}, "FaceTime HD Camera", true],
    [{}, "camera2 0, facing back", false],
  ];
  for (const [settings, label, isMirrored] of cases) {
    media.next.push(new FakeTrack({ settings, label }));
    await feed.open();
    assert.equal(feed.isMirrored, isMirrored, label || JSON.stringify(settings));
  }
  await feed.open(SCREEN);
  assert.equal(feed.isMirrored, false);
});

test("light and zoom are offered where the track can, in each browser's way of saying so", async () => {
  const { media, feed } = set();
  assert.deepEqual(feed.can, { torch: false, zoom: null });
  const zoom = { min: 1, max: 8, step: 0.5 };
  media.next.push(
    new FakeTrack({ capabilities: { torch: true, zoom } }),
    new FakeTrack({ capabilities: { torch: [] } }),
  );
  await feed.open();
  assert.deepEqual(feed.can, { torch: true, zoom });
  await feed.torch(true);
  await feed.zoom(2);
  assert.deepEqual(media.tracks[0].applied, [{ advanced: [{ torch: true }] }, { advanced: [{ zoom: 2 }] }]);
  await feed.open();
  assert.deepEqual(feed.can, { torch: false, zoom: null });
  media.next.push(new FakeTrack({ capabilities: { torch: [false, true], zoom: { min: 1, max: 1 } } }));
  await feed.open();
  assert.deepEqual(feed.can, { torch: true, zoom: null });
});

test("the other camera is the other side's, or the next device in turn", () => {
  const cameras = [{ deviceId: "one" }, { deviceId: "two" }];
  assert.equal(other({ facingMode: "user" }, cameras).facing, "environment");
  assert.equal(other({ facingMode: "environment" }, cameras).facing, "user");
  assert.equal(other({ deviceId: "one" }, cameras).device, "two");
  assert.equal(other({ deviceId: "two" }, cameras).device, "one");
  assert.equal(other({}, []).device, "");
});
