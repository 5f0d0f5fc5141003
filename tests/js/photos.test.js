/** The draft's photos: which of them a message takes, and where those stay that the server does not have yet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../../static/chat/draft.js";
import { Photos } from "../../static/chat/photos.js";

const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

class Element {
  /** @type {Record<string, string>} */
  dataset = {};
  /** @type {Element[]} */
  children = [];
  /** @type {Element | null} */
  parent = null;
  className = "";
  /** @type {() => void} */
  onclick = () => {};

  append(/** @type {Element[]} */ ...added) {
    for (const child of added) child.parent = this;
    this.children.push(...added);
  }

  replaceChildren() {
    this.children = [];
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  setAttribute() {}
  removeAttribute() {}
  focus() {}

  /** @returns {Element} */
  querySelector(/** @type {string} */ wanted) {
    return wanted === ".remove" ? this.children[1] : (this.children[0]?.children[0] ?? this);
  }
}

class Canvas {
  getContext() {
    return { fillRect() {}, drawImage() {} };
  }

  async convertToBlob() {
    return new Blob(["small"], { type: "image/jpeg" });
  }
}

Object.assign(globalThis, {
  document: { createElement: () => new Element() },
  createImageBitmap: async (/** @type {File} */ file) => {
    if (!(await file.text())) throw new Error("no picture");
    return { width: 4, height: 3 };
  },
  OffscreenCanvas: Canvas,
});

/** A draft whose uploads are answered when the test says so. */
function page() {
  /** @type {((answer: Response | Error) => void)[]} */
  const uploads = [];
  /** @type {string[]} */
  const deleted = [];
  /** @type {string[]} */
  const said = [];
  /** What becomes of a download, by the photo. @type {Record<string, () => Promise<Response>>} */
  const answer = {};
  const kept = new Map();
  /** @type {any} */
  const storage = {
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => kept.set(name, value),
    removeItem: (/** @type {string} */ name) => kept.delete(name),
  };
  const draftOf = (/** @type {string} */ chat) => new Draft(storage, chat);
  /** @type {any} */
  const session = {
    request(/** @type {string} */ path, /** @type {RequestInit} */ { method = "GET" } = {}) {
      if (method === "DELETE") deleted.push(path);
      if (method === "GET") return answer[path.slice(-1)]?.() ?? Promise.resolve(new Response("photo"));
      if (method !== "POST") return Promise.resolve(new Response(null, { status: 204 }));
      return new Promise((resolve, reject) =>
        uploads.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
      );
    },
  };
  const state = { chat: "A" };
  const previews = new Element();
  const photos = new Photos(/** @type {any} */ (previews), session, {
    problem: (sentence) => said.push(sentence),
    changed() {},
    stored: (ids) => draftOf(state.chat).keepPhotos(ids),
  });
  const open = (/** @type {string} */ chat) => {
    photos.leave(draftOf(state.chat));
    state.chat = chat;
    photos.restore(draftOf(chat));
    return settled();
  };
  return { photos, previews, uploads, deleted, said, draftOf, open, answer };
}

const file = (name = "a.jpg", content = "x") => new File([content], name);
const named = (/** @type {string} */ id) => Response.json({ id });
const signal = () => new AbortController().signal;
const ids = (/** @type {Photo[]} */ taken) => taken.map(({ attachment }) => attachment);

test("a photo that is removed while the question waits does not go along, and is deleted", async () => {
  const { photos, previews, uploads, deleted } = page();
  photos.add([file(), file("b.jpg")], false);
  await settled();
  uploads[0](named("a"));
  const taken = photos.take(signal());
  await settled();
  previews.children[1].children[1].onclick();
  uploads[1](named("b"));
  assert.deepEqual(ids(await taken), ["a"]);
  await settled();
  assert.deepEqual([deleted, previews.children.length], [["/v2/attachments/b"], 0]);
});

test("a photo that is added while the question waits stays for the next one", async () => {
  const { photos, previews, uploads } = page();
  photos.add([file()], false);
  await settled();
  const taken = photos.take(signal());
  await settled();
  photos.add([file("b.jpg")], false);
  await settled();
  uploads[0](named("a"));
  assert.deepEqual([ids(await taken), photos.count, previews.children.length], [["a"], 1, 1]);
  uploads[1](named("b"));
  assert.deepEqual(ids(await photos.take(signal())), ["b"]);
});

test("a photo goes with one message; one that is given up leaves it to the next", async () => {
  const { photos, uploads } = page();
  photos.add([file()], false);
  await settled();
  const first = new AbortController();
  const stopped = photos.take(first.signal);
  await settled();
  assert.deepEqual(await photos.take(signal()), []);
  first.abort();
  const next = photos.take(signal());
  uploads[0](named("a"));
  await assert.rejects(stopped, { name: "AbortError" });
  assert.deepEqual([ids(await next), photos.count], [["a"], 0]);
});

test("a photo of a chat that is left belongs to that chat's draft, before it is uploaded and after", async () => {
  const { photos, previews, uploads, draftOf, open } = page();
  photos.add([file(), file("b.jpg")], false);
  await settled();
  await open("B");
  assert.deepEqual([photos.count, previews.children.length], [0, 0]);
  uploads[0](named("a"));
  await settled();
  assert.deepEqual([draftOf("A").read().photos, draftOf("B").read().photos], [["a"], []]);
  await open("A");
  assert.equal(photos.count, 2);
  uploads[1](named("b"));
  await settled();
  assert.deepEqual(draftOf("A").read().photos.toSorted(), ["a", "b"]);
});

test("a photo that the server could not be asked for stays, and is sent with the next Enter", async () => {
  const { photos, uploads, said } = page();
  photos.add([file()], false);
  await settled();
  const { Lost } = await import("../../static/chat/errors.js");
  uploads[0](new Lost("The server cannot be reached."));
  await settled();
  assert.deepEqual([photos.count, said], [1, ["The server cannot be reached."]]);
  const taken = photos.take(signal());
  await settled();
  uploads[1](named("a"));
  assert.deepEqual(ids(await taken), ["a"]);
});

test("one that is no photo holds the question back, and leaves the others in the draft", async () => {
  const { photos, uploads, said } = page();
  photos.add([file(), file("words.jpg", "")], false);
  const taken = photos.take(signal());
  await assert.rejects(taken, /“words.jpg” is not a photo/);
  uploads[0](named("a"));
  await settled();
  assert.match(said[0], /“words.jpg” is not a photo/);
  assert.deepEqual([photos.count, ids(await photos.take(signal()))], [1, ["a"]]);
});

test("a folder is refused in the page's own words, not in the browser's", async () => {
  const { photos, said } = page();
  const folder = file("holiday", "");
  folder.slice = () => /** @type {any} */ ({ arrayBuffer: () => Promise.reject(new DOMException("not found")) });
  photos.add([folder], false);
  await settled();
  assert.match(said[0], /“holiday” is not a photo/);
});

test("a photo of a draft that cannot be shown now is sent all the same; a deleted one is left out", async () => {
  const { photos, draftOf, open, answer } = page();
  draftOf("B").keepPhotos(["a", "b", "c"]);
  answer.a = () => Promise.reject(new Error("The server cannot be reached."));
  answer.b = () => Promise.resolve(new Response("{}", { status: 404 }));
  await open("B");
  assert.deepEqual(ids(await photos.take(signal())), ["a", "c"]);
});
