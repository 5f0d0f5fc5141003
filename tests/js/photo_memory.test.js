/** Photos near the viewport: asked for again after a failure, and said to be gone where they are. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { PhotoMemory } from "../../static/chat/camera/photo_memory.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

class Image {
  isConnected = true;
  src = "";
  alt = "Photo 1 of this message";
  style = {};
  dataset = {};
  complete = true;
  async decode() {}
  removeAttribute() {
    this.src = "";
  }
}

/** @type {Record<string, () => void>} */
const heard = {};
/** @type {(entries: object[]) => void} */
let scrolled = () => {};
Object.assign(globalThis, {
  HTMLImageElement: Image,
  HTMLAudioElement: class {},
  addEventListener: (/** @type {string} */ name, /** @type {() => void} */ listener) => {
    heard[name] = listener;
  },
  document: { addEventListener() {} },
  IntersectionObserver: class {
    constructor(/** @type {(entries: object[]) => void} */ callback) {
      scrolled = callback;
    }
    observe() {}
  },
});

/** A photo whose downloads end as listed: an error, null where it is gone, or the photo.
 * @param {(Error | Blob | null)[]} answers */
function page(...answers) {
  let asked = 0;
  const load = async () => {
    const answer = answers[asked++];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const memory = new PhotoMemory(/** @type {any} */ ({ querySelectorAll: () => [] }), load, () => "");
  const image = new Image();
  memory.show(/** @type {any} */ (image), { attachment: "a" });
  const near = (isIntersecting = true) => {
    scrolled([{ target: image, isIntersecting }]);
    return settled();
  };
  return { image, near, asked: () => asked };
}

const LOST = new Error("The server cannot be reached.");
const PHOTO = new Blob(["photo"]);

test("a photo that could not be loaded is asked for again, later each time", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { image, near, asked } = page(LOST, LOST, PHOTO);
  await near();
  for (const [wait, count] of [
    [999, 1],
    [1, 2],
    [1_999, 2],
    [1, 3],
  ]) {
    mock.timers.tick(wait);
    await settled();
    assert.equal(asked(), count);
  }
  assert.match(image.src, /^blob:/);
  mock.timers.reset();
});

test("it is asked for at once when the network is back, and not when it was scrolled away", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { image, near, asked } = page(LOST, LOST, PHOTO);
  await near();
  await near(false);
  heard.online();
  mock.timers.tick(60_000);
  await settled();
  assert.equal(asked(), 1);
  await near();
  heard.online();
  await settled();
  assert.equal(asked(), 3);
  assert.match(image.src, /^blob:/);
  mock.timers.reset();
});

test("a photo that was deleted is said to be gone, and not asked for again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { image, near, asked } = page(null);
  await near();
  mock.timers.tick(60_000);
  await settled();
  assert.deepEqual([image.alt, image.src, asked()], ["This is not here any more.", "", 1]);
  mock.timers.reset();
});
