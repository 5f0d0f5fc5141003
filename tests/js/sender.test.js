/** A question that waits for its photos: sent once, stopped, changed, left with its chat. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Sender } from "../../static/chat/sender.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A page whose photos arrive when the test says so. */
function page() {
  /** @type {((photos: Photo[]) => void)[]} */
  const arrivals = [];
  /** @type {unknown[]} */
  const sent = [];
  /** @type {string[]} */
  const said = [];
  /** @type {any} */
  const composer = {
    ...{ busy: false, editing: "", text: "", model: "m", photos: "seen" },
    take(/** @type {string} */ text) {
      const { editing } = this;
      this.text = this.text.slice(text.length).trim();
      this.editing = "";
      return editing;
    },
  };
  const note = async (/** @type {object} */ asked) => {
    sent.push(asked);
  };
  /** @type {any} */
  const means = {
    composer,
    session: {},
    chat: {
      busy: false,
      draft: { type: (/** @type {string} */ text) => sent.push({ draft: text }) },
      send: note,
      edit: (/** @type {string} */ key, /** @type {object} */ asked) => note({ key, ...asked }),
      stop: () => sent.push("stopped"),
    },
    photos: {
      count: 1,
      take: (/** @type {AbortSignal} */ signal) =>
        new Promise((resolve, reject) => {
          arrivals.push(resolve);
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    },
    camera: { sees: false },
    scroll: { toEnd() {} },
    queue: (/** @type {string} */ text) => sent.push({ queued: text }),
    checkModel() {},
    problem() {},
    failed: (/** @type {string} */ sentence) => said.push(sentence),
  };
  const sender = new Sender(means);
  const type = (/** @type {string} */ text) => {
    composer.text = text;
    if (composer.busy) sender.queue(text);
    else void sender.send(text);
    return settled();
  };
  return { sender, composer, means, arrivals, sent, said, type };
}

const PHOTO = { attachment: "a" };

test("a second Enter while the photo is on its way sends the question once, as it is then", async () => {
  const { arrivals, sent, type } = page();
  await type("What is it?");
  await type("What is it?");
  await type("What is this?");
  for (const arrive of arrivals) arrive([PHOTO]);
  await settled();
  assert.deepEqual(sent, [{ text: "What is this?", photos: [PHOTO], model: "m" }]);
});

test("the stop button stops a question that waits, and it stays in the box", async () => {
  const { sender, composer, arrivals, sent, said, type } = page();
  await type("What is it?");
  assert.equal(composer.busy, true);
  sender.stop();
  assert.equal(composer.busy, false);
  arrivals[0]([PHOTO]);
  await settled();
  assert.deepEqual([sent, said, composer.text], [[], [], "What is it?"]);
  await type("What is it?");
  arrivals[1]([PHOTO]);
  await settled();
  assert.equal(sent.length, 1);
  sender.stop();
  assert.equal(sent[1], "stopped");
});

test("an answer that could not be stopped is said, until it is tried again", async () => {
  const { sender, means, said } = page();
  means.problem = (/** @type {string} */ sentence) => said.push(sentence);
  means.chat.stop = () => Promise.reject(new Error("Not now."));
  await sender.stop();
  assert.deepEqual(said, ["", "Not now."]);
});

test("what is typed meanwhile stays in the box and is the next draft", async () => {
  const { composer, arrivals, sent, type } = page();
  await type("What is it?");
  composer.text = "What is it? And";
  arrivals[0]([PHOTO]);
  await settled();
  assert.equal(composer.text, "And");
  assert.deepEqual(sent.at(-1), { draft: "And" });
});

test("once it is sent, the next message is queued", async () => {
  const { composer, arrivals, sent, type } = page();
  await type("One");
  arrivals[0]([]);
  await settled();
  composer.busy = true; // as the chat says
  await type("Two");
  assert.deepEqual(sent.at(-1), { queued: "Two" });
});

test("an edited question takes the photos along that were added", async () => {
  const { composer, arrivals, sent, type } = page();
  composer.editing = "q";
  await type("Better?");
  arrivals[0]([PHOTO]);
  await settled();
  assert.deepEqual(sent, [{ key: "q", text: "Better?", photos: [PHOTO], model: "m" }]);
});

test("a photo that cannot be sent is said once, and the page goes on", async () => {
  const { composer, means, sent, said, type } = page();
  means.photos.take = () => Promise.reject(new Error("It is no photo."));
  await type("What is it?");
  assert.deepEqual([sent, said, composer.busy, composer.text], [[], ["It is no photo."], false, "What is it?"]);
});
