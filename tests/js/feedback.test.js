import assert from "node:assert/strict";
import { test } from "node:test";
import { Feedback } from "../../static/chat/feedback.js";

/** As much of an article as a thumb touches. */
class FakeArticle {
  dataset = { key: "k" };
  field = { value: "", placeholder: "", setAttribute() {} };
  form = { hidden: true, querySelector: () => this.field, closest: () => this };
  thumbs = [1, -1].map((value) => new FakeThumb(this, value));

  /** @param {string} selector */
  querySelector(selector) {
    return selector.includes("reason") ? this.form : this.thumbs.find(({ pressed }) => pressed === "true");
  }

  querySelectorAll() {
    return this.thumbs;
  }
}

class FakeThumb {
  pressed = "false";
  focused = false;

  /** @param {FakeArticle} article @param {number} value */
  constructor(article, value) {
    this.closest = () => article;
    this.dataset = { value: String(value) };
  }

  getAttribute() {
    return this.pressed;
  }

  setAttribute(/** @type {string} */ _, /** @type {string} */ value) {
    this.pressed = value;
  }

  focus() {
    this.focused = true;
  }
}

/** An answer beneath which thumbs are given, and a server that keeps them, or fails. */
function set() {
  const article = new FakeArticle();
  /** @type {any} */
  let message = { id: "m", facts: {} };
  /** @type {any[]} */
  const posts = [];
  const said = /** @type {string[]} */ ([]);
  const server = { fails: false };
  const session = {
    json: async (/** @type {string} */ _, /** @type {string} */ path, /** @type {any} */ body) => {
      posts.push([path, body]);
      if (server.fails) throw new Error("The server cannot be reached.");
      return { feedback: body.value ? { reason: "", ...body } : null };
    },
  };
  const chat = {
    find: () => message,
    note(/** @type {string} */ _, /** @type {Record<string, unknown>} */ facts) {
      message = { ...message, facts };
      feedback.show(/** @type {any} */ (article), facts);
    },
  };
  const feedback = new Feedback(session, chat, { said: (sentence) => said.push(sentence) });
  const press = (/** @type {number} */ at) => feedback.thumb(/** @type {any} */ (article.thumbs[at]));
  return { article, feedback, posts, press, said, server, opinion: () => message.facts.feedback };
}

/** @param {FakeArticle} article */
const pressed = (article) => article.thumbs.map((thumb) => thumb.pressed);

test("a thumb is given at once, kept by the server, and a reason is asked for", async () => {
  const { article, posts, press, said } = set();
  const done = press(1);
  assert.deepEqual(pressed(article), ["false", "true"]);
  await done;
  assert.deepEqual(posts, [["/v2/messages/m/feedback", { value: -1, reason: "" }]]);
  assert.deepEqual([article.form.hidden, article.field.placeholder], [false, "What was wrong with it?"]);
  assert.deepEqual(said, ["Thank you. You can say why."]);
});

test("the reason goes with the thumb that was given, and the keyboard's focus back to it", async () => {
  const { article, feedback, opinion, press } = set();
  await press(0);
  article.field.value = " Clear. ";
  await feedback.reason(/** @type {any} */ (article.form));
  assert.deepEqual(opinion(), { value: 1, reason: "Clear." });
  assert.deepEqual([article.form.hidden, article.thumbs[0].focused], [true, true]);
});

test("the same thumb once more takes it back, the other one changes it", async () => {
  const { article, opinion, press } = set();
  await press(0);
  await press(1);
  assert.deepEqual([opinion(), ...pressed(article)], [{ value: -1, reason: "" }, "false", "true"]);
  await press(1);
  assert.deepEqual([opinion(), ...pressed(article), article.form.hidden], [null, "false", "false", true]);
});

test("what cannot be kept is not shown as kept", async () => {
  const { article, opinion, press, server } = set();
  await press(0);
  server.fails = true;
  await assert.rejects(press(1), /cannot be reached/);
  assert.deepEqual([opinion(), ...pressed(article)], [{ value: 1, reason: "" }, "true", "false"]);
});
