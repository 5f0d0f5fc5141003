import assert from "node:assert/strict";
import { test } from "node:test";
import { cutShort } from "../../static/chat/messages.js";
import { apply, message } from "../../static/chat/transcript.js";

/** @param {string} text @param {object} [more] */
const says = (text, more = {}) => ({ candidates: [{ content: { role: "model", parts: [{ text }] }, ...more }] });
const OK = says("OK");

/** @param {Action[]} actions @param {Transcript} [start] */
const after = (actions, start = []) => actions.reduce(apply, start);

/** @type {Action} */
const asked = { type: "asked", key: "k", text: "Why?", photos: [], model: "local/m" };
/** @param {number} seq @param {GeminiResponse} response @returns {Action} */
const received = (seq, response) => ({ type: "received", key: "k", seq, response });

test("a question stands there at once, and an answer is awaited", () => {
  const [question, answer] = after([asked]);
  assert.deepEqual([question.role, question.text, question.status], ["user", "Why?", "sending"]);
  assert.deepEqual([answer.role, answer.text, answer.status], ["model", "", "sending"]);
});

test("event 0 marks the question as sent and adds nothing to the answer", () => {
  const [question, answer] = after([asked, received(0, OK)]);
  assert.deepEqual([question.status, answer.status, answer.text], ["sent", "running", ""]);
});

test("the answer grows by each event, and ends by the last", () => {
  const end = says(" it is.", { finishReason: "STOP" });
  const [, answer] = after([asked, received(0, OK), received(1, says("Because")), received(2, end)]);
  assert.deepEqual([answer.text, answer.status, answer.seq], ["Because it is.", "complete", 2]);
});

test("an event that comes twice changes nothing", () => {
  const once = after([asked, received(0, OK), received(1, says("x"))]);
  assert.equal(apply(once, received(1, says("x"))), once);
});

test("a missing event is an error, not a hole in the text", () => {
  assert.throws(() => after([asked, received(0, OK), received(2, says("x"))]), RangeError);
});

test("a notice is status and no text, and goes when text comes", () => {
  const notice = { candidates: [], wondercam: { notice: { kind: "waiting", message: "One before you." } } };
  const waiting = after([asked, received(0, OK), received(1, notice)]);
  assert.deepEqual([waiting[1].notice, waiting[1].text], ["One before you.", ""]);
  assert.equal(apply(waiting, received(2, says("x")))[1].notice, "");
});

test("a failure keeps what was written", () => {
  const error = { code: 503, status: "ABORTED", message: "The server went away." };
  const failure = { error, wondercam: { end: "interrupted" } };
  const [, answer] = after([asked, received(0, OK), received(1, says("Half")), received(2, failure)]);
  assert.deepEqual([answer.text, answer.status, answer.error], ["Half", "interrupted", error]);
});

test("why a whole answer ended is known, and of no other", () => {
  const [, short] = after([asked, received(0, OK), received(1, says("x", { finishReason: "MAX_TOKENS" }))]);
  assert.deepEqual([short.status, short.reason], ["complete", "MAX_TOKENS"]);
  const stop = { ...says("", { finishReason: "OTHER" }), wondercam: { end: "stopped" } };
  assert.equal(after([asked, received(0, OK), received(1, stop)])[1].reason, "");
});

test("only a good end needs no sentence", () => {
  for (const reason of ["", "STOP"]) assert.equal(cutShort(reason), "");
  for (const reason of ["MAX_TOKENS", "SAFETY", "NEW"]) assert.match(cutShort(reason), /\. (Ask|Say|Try) /);
});

test("an end told by the connection does not undo the one that the stream told", () => {
  const done = after([asked, received(0, OK), received(1, says("x", { finishReason: "STOP" }))]);
  const [, answer] = apply(done, { type: "ended", key: "k", end: "failed", error: null });
  assert.equal(answer.status, "complete");
});

test("what the connection says of itself goes with the next event", () => {
  const cut = after([asked, received(0, OK), { type: "line", key: "k", line: "Lost." }]);
  assert.equal(cut[1].line, "Lost.");
  assert.equal(apply(cut, received(1, says("x")))[1].line, "");
});

test("asking again replaces the answer and all that came after its question", () => {
  const start = [
    message({ key: "q", role: "user", text: "Why?" }),
    message({ key: "a", text: "Half", status: "failed" }),
  ];
  const next = after([{ type: "asked again", key: "b", question: "q", model: "" }], start);
  assert.deepEqual(
    next.map(({ key, status }) => [key, status]),
    [
      ["q", "sending"],
      ["b", "sending"],
    ],
  );
});

test("messages that did not change stay the same objects", () => {
  const before = after([asked, received(0, OK)], [message({ key: "old", text: "long ago" })]);
  const next = apply(before, received(1, says("x")));
  assert.equal(next[0], before[0]);
  assert.equal(next[1], before[1]);
  assert.notEqual(next[2], before[2]);
});

test("a stream applied event by event equals the stream applied from any cut on", () => {
  const responses = [OK, says("a\n"), says("```js\n"), says("😀"), says("", { finishReason: "STOP" })];
  const whole = after([asked, ...responses.map((response, seq) => received(seq, response))]);
  for (let cut = 0; cut < responses.length; cut++) {
    const first = responses.slice(0, cut + 1).map((response, seq) => received(seq, response));
    const again = responses.map((response, seq) => received(seq, response)).slice(Math.max(0, cut - 1));
    assert.deepEqual(after([asked, ...first, ...again]), whole);
  }
});
