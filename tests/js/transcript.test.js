import assert from "node:assert/strict";
import { test } from "node:test";
import { message } from "../../static/chat/message.js";
import { cutShort, endingOf, waitingFor } from "../../static/chat/messages.js";
import { rateOf, story } from "../../static/chat/times.js";
import { apply, EMPTY, questionOf } from "../../static/chat/transcript.js";
import { newestBelow, path, versions } from "../../static/chat/tree.js";

/** @param {string} text @param {object} [more] */
const says = (text, more = {}) => ({ candidates: [{ content: { role: "model", parts: [{ text }] }, ...more }] });
/** @param {string} text */
const thinks = (text) => ({ candidates: [{ content: { parts: [{ text, thought: true }] } }] });
const OK = says("OK");
const END = says("", { finishReason: "STOP" });

/** @param {Action[]} actions @param {Transcript} [start] */
const after = (actions, start = EMPTY) => actions.reduce(apply, start);

/** @type {Action} */
const asked = { type: "asked", key: "k", parent: "", text: "Why?", photos: [], model: "local/m", at: 100 };
/** @param {number} seq @param {GeminiResponse} response @param {number} [at] @returns {Action} */
const received = (seq, response, at = 0) => ({ type: "received", key: "k", seq, response, at });
/** @param {Action[]} actions */
const answerAfter = (actions) => /** @type {Message} */ (path(after(actions)).at(-1));

test("a question stands there at once, and an answer is awaited", () => {
  const [question, answer] = path(after([asked]));
  assert.deepEqual([question.role, question.text, question.status], ["user", "Why?", "sending"]);
  assert.deepEqual([answer.role, answer.text, answer.status, answer.parent], ["model", "", "sending", question.key]);
});

test("event 0 marks the question as sent and adds nothing to the answer", () => {
  const [question, answer] = path(after([asked, received(0, OK)]));
  assert.deepEqual([question.status, answer.status, answer.text], ["sent", "running", ""]);
});

test("what was begun gives question and answer their ids", () => {
  const names = { stream: "s", question: "q", answer: "a" };
  const [question, answer] = path(after([asked, { type: "accepted", key: "k", ...names }]));
  assert.deepEqual([question.id, answer.id, answer.stream], ["q", "a", "s"]);
});

test("the answer grows by each event, and ends by the last", () => {
  const end = says(" it is.", { finishReason: "STOP" });
  const answer = answerAfter([asked, received(0, OK), received(1, says("Because")), received(2, end)]);
  assert.deepEqual([answer.text, answer.status, answer.seq], ["Because it is.", "complete", 2]);
});

test("thoughts and pictures are kept beside the text, each in its place", () => {
  const inlineData = { mimeType: "image/png", data: "AAAA" };
  const picture = { candidates: [{ content: { parts: [{ text: "See: " }, { inlineData }, { text: "!" }] } }] };
  const answer = answerAfter([asked, received(0, OK), received(1, thinks("Hm.")), received(2, picture)]);
  assert.deepEqual([answer.thoughts, answer.text], ["Hm.", "See: !"]);
  assert.deepEqual(answer.pictures, [{ ...inlineData, at: 5 }]);
});

test("a turn that another worker goes on with keeps its text, and says so until more comes", () => {
  const pickedUp = { wondercam: { picked_up: { message: "Picked up again." } } };
  const began = [asked, received(0, OK), received(1, says("Be")), received(2, pickedUp)];
  assert.deepEqual([answerAfter(began).text, answerAfter(began).notice], ["Be", "Picked up again."]);
  const answer = answerAfter([...began, received(3, says("cause"))]);
  assert.deepEqual([answer.text, answer.notice, answer.anew], ["Because", "", 0]);
});

test("an answer that begins anew forgets what it had said", () => {
  const inlineData = { mimeType: "image/png", data: "AAAA" };
  const picture = { candidates: [{ content: { parts: [{ text: "Maybe" }, { inlineData }] } }] };
  const anew = { candidates: [], wondercam: { superseded_from: 1 } };
  const before = [asked, received(0, OK), received(1, thinks("Hm.")), received(2, picture), received(3, anew)];
  const answer = answerAfter([...before, received(4, says("Because"))]);
  assert.deepEqual([answer.text, answer.thoughts, answer.pictures, answer.anew], ["Because", "", [], 3]);
});

test("an event that comes twice changes nothing", () => {
  const once = after([asked, received(0, OK), received(1, says("x"))]);
  assert.equal(apply(once, received(1, says("x"))), once);
});

test("a missing event is an error, not a hole in the text", () => {
  assert.throws(() => after([asked, received(0, OK), received(2, says("x"))]), RangeError);
});

test("one event may stand for all that were before it", () => {
  const snapshot = { ...says("Becau"), wondercam: { snapshot: 1 } };
  const answer = answerAfter([asked, received(7, snapshot), received(8, says("se"))]);
  assert.deepEqual([answer.text, answer.seq, answer.status], ["Because", 8, "running"]);
});

test("a notice is status and no text, and goes when text comes", () => {
  const notice = { candidates: [], wondercam: { notice: { kind: "waiting", message: "One before you." } } };
  const waiting = after([asked, received(0, OK), received(1, notice)]);
  assert.deepEqual([waiting.messages[1].notice, waiting.messages[1].text], ["One before you.", ""]);
  assert.equal(apply(waiting, received(2, says("x"))).messages[1].notice, "");
});

test("a failure keeps what was written", () => {
  const error = { code: 503, status: "ABORTED", message: "The server went away." };
  const failure = { error, wondercam: { end: "interrupted" } };
  const answer = answerAfter([asked, received(0, OK), received(1, says("Half")), received(2, failure)]);
  assert.deepEqual([answer.text, answer.status, answer.error], ["Half", "interrupted", error]);
});

test("why a whole answer ended is known, and of no other", () => {
  const short = answerAfter([asked, received(0, OK), received(1, says("x", { finishReason: "MAX_TOKENS" }))]);
  assert.deepEqual([short.status, short.reason], ["complete", "MAX_TOKENS"]);
  const stop = { ...says("", { finishReason: "OTHER" }), wondercam: { end: "stopped" } };
  assert.equal(answerAfter([asked, received(0, OK), received(1, stop)]).reason, "");
});

test("only a good end needs no sentence", () => {
  for (const reason of ["", "STOP"]) assert.equal(cutShort(reason), "");
  for (const reason of ["MAX_TOKENS", "SAFETY", "NEW"]) assert.match(cutShort(reason), /\. (Ask|Say|Try) /);
});

test("what a sentence tells the reader to do is offered beside it", () => {
  const complete = { status: /** @type {const} */ ("complete"), text: "x" };
  assert.deepEqual(endingOf(message({ ...complete, reason: "MAX_TOKENS" })).can, ["continue", "again"]);
  assert.deepEqual(endingOf(message({ ...complete, reason: "SAFETY" })).can, ["edit", "again"]);
  assert.deepEqual(endingOf(message({ ...complete, text: "x", reason: "STOP" })).can, []);
  assert.match(endingOf(message({ status: "complete", reason: "STOP" })).sentence, /without a word/u);
  assert.deepEqual(endingOf(message({ status: "stopped", text: "x" })).can, ["continue", "again"]);
  assert.deepEqual(endingOf(message({ status: "stopped" })).can, ["again"]);
  assert.deepEqual(endingOf(message({ status: "failed" })).can, ["edit", "again"]);
  assert.deepEqual(endingOf(message({ status: "failed", text: "x" })).can, ["continue", "edit", "again"]);
  assert.deepEqual(endingOf(message({ role: "user", status: "sent" })).can, []);
});

test("what is waited for is said, and that a model pauses", () => {
  const times = { began: 0, since: 0, heard: 1000, thought: null, first: null, total: null, tokens: null };
  const answer = message({ status: "running", model: "gemini/flash", times });
  assert.equal(waitingFor(message({ status: "sending", times }), 0).notice, "Sending…");
  assert.equal(waitingFor(message({ status: "sending", times, line: "Not sent yet" }), 0).notice, "");
  assert.equal(waitingFor(answer, 5000).notice, "Waiting for flash…");
  assert.equal(waitingFor({ ...answer, thoughts: "Hm" }, 5000).notice, "Thinking…");
  assert.equal(waitingFor({ ...answer, text: "x" }, 2000).notice, "");
  assert.deepEqual(waitingFor({ ...answer, text: "x" }, 5000), { notice: "The model pauses…", since: 1000 });
});

test("an end told by the connection does not undo the one that the stream told", () => {
  const done = after([asked, received(0, OK), received(1, says("x", { finishReason: "STOP" }))]);
  const next = apply(done, { type: "ended", key: "k", end: "failed", error: null });
  assert.equal(next.messages[1].status, "complete");
});

test("what the connection says of itself goes with the next event", () => {
  const cut = after([asked, received(0, OK), { type: "line", key: "k", line: "Lost." }]);
  assert.equal(cut.messages[1].line, "Lost.");
  assert.equal(apply(cut, received(1, says("x"))).messages[1].line, "");
});

test("asking again adds a version, and every version can be shown", () => {
  const done = after([asked, received(0, OK), received(1, says("One", { finishReason: "STOP" }))]);
  const question = questionOf("k");
  const both = apply(done, { type: "asked again", key: "b", question, model: "", at: 0 });
  assert.deepEqual(
    path(both).map(({ key }) => key),
    [question, "b"],
  );
  assert.deepEqual(
    versions(both)
      .get("b")
      ?.map(({ key }) => key),
    ["k", "b"],
  );
  const back = apply(both, { type: "shown", leaf: newestBelow(both, "k") });
  assert.deepEqual(
    path(back).map(({ key }) => key),
    [question, "k"],
  );
});

test("another version of a question stands beside it, and keeps what followed the first", () => {
  const two = after([asked, received(0, OK), received(1, END), { ...asked, key: "l", parent: "k", text: "And?" }]);
  const edited = apply(two, { ...asked, key: "m", parent: "", text: "How?" });
  assert.deepEqual(
    path(edited).map(({ text }) => text),
    ["How?", ""],
  );
  assert.equal(versions(edited).get(questionOf("m"))?.length, 2);
  assert.equal(newestBelow(edited, questionOf("k")), "l");
});

test("what was never sent can be withdrawn, and what came before is shown", () => {
  const done = after([asked, received(0, OK), received(1, END)]);
  const unsent = apply(done, { ...asked, key: "l", parent: "k" });
  const next = apply(unsent, { type: "withdrawn", keys: ["l", questionOf("l")] });
  assert.deepEqual([next.leaf, next.messages.length], ["k", 2]);
});

test("messages that did not change stay the same objects", () => {
  const before = after([asked, received(0, OK)], {
    messages: [message({ key: "old", text: "long ago" })],
    leaf: "old",
  });
  const next = apply(before, received(1, says("x")));
  assert.equal(next.messages[0], before.messages[0]);
  assert.equal(next.messages[1], before.messages[1]);
  assert.notEqual(next.messages[2], before.messages[2]);
});

test("a stream applied event by event equals the stream applied from any cut on", () => {
  const responses = [OK, thinks("hm"), says("a\n"), says("```js\n"), says("😀"), END];
  const whole = after([asked, ...responses.map((response, seq) => received(seq, response))]);
  for (let cut = 0; cut < responses.length; cut++) {
    const first = responses.slice(0, cut + 1).map((response, seq) => received(seq, response));
    const again = responses.map((response, seq) => received(seq, response)).slice(Math.max(0, cut - 1));
    assert.deepEqual(after([asked, ...first, ...again]), whole);
  }
});

test("times are measured from the question on: the thoughts, the first word, the whole", () => {
  const usage = { ...END, usageMetadata: { candidatesTokenCount: 100 } };
  const { times } = answerAfter([
    asked,
    received(0, OK, 110),
    received(1, thinks("hm"), 700),
    received(2, says("a"), 1100),
    received(3, usage, 2700),
  ]);
  assert.deepEqual([times.first, times.thought, times.total, times.tokens], [600, 600, 2600, 100]);
  assert.equal(rateOf(times), "0.6 s · 50/s");
  assert.match(story(times), /first word came after 0.6 s.*took 2.6 s.*100 tokens, 50 a second/);
});

// What the server has stored

/** @param {string} id @param {string | null} parent @param {string} text @returns {Stored} */
const question = (id, parent, text) => ({ id, parent_id: parent, role: "user", parts: [{ text }], stream: null });
/** @param {string} id @param {string} parent @param {string} text @param {"complete" | "running"} status @returns {Stored} */
const answered = (id, parent, text, status = "complete") => ({
  id,
  parent_id: parent,
  role: "model",
  parts: [{ text: "hm", thought: true }, { text }],
  stream: {
    id: `s-${id}`,
    status,
    model: "m",
    last_seq: 7,
    error: null,
    reason: "STOP",
    usage: { candidatesTokenCount: 9 },
    first_token_ms: 300,
    thought_ms: 200,
    duration_ms: 1200,
  },
});
const STORED = [
  question("1", null, "Why?"),
  answered("2", "1", "Old."),
  answered("3", "1", "New."),
  question("4", "3", "And?"),
];

test("a stored conversation is shown up to its newest message; a running answer is left to its stream", () => {
  const open = apply(EMPTY, { type: "stored", messages: [...STORED, answered("5", "4", "Half", "running")], at: 0 });
  assert.deepEqual(
    path(open).map(({ id, text, status, seq }) => [id, text, status, seq]),
    [
      ["1", "Why?", "sent", -1],
      ["3", "New.", "complete", 7],
      ["4", "And?", "sent", -1],
      ["5", "", "running", -1],
    ],
  );
});

test("a stored answer has its thoughts and times", () => {
  const [, answer] = path(apply(EMPTY, { type: "stored", messages: STORED.slice(0, 2), at: 0 }));
  assert.deepEqual([answer.thoughts, answer.times.thought, rateOf(answer.times)], ["hm", 200, "0.3 s · 10/s"]);
});

test("what the page holds already stays the same object, whatever key it has", () => {
  const held = after([
    asked,
    { type: "accepted", key: "k", stream: "s-3", question: "1", answer: "3" },
    received(0, OK),
    received(1, END),
  ]);
  const next = apply(held, { type: "stored", messages: [...STORED, answered("5", "4", "", "running")], at: 0 });
  const shown = path(next);
  assert.deepEqual(shown.slice(0, 2), held.messages);
  assert.equal(shown[0], held.messages[0]);
  assert.deepEqual([shown[2].text, shown[3].stream], ["And?", "s-5"]);
  assert.equal(apply(next, { type: "stored", messages: STORED, at: 0 }), next);
});

test("what the server keeps beside a message goes with it, and is taken anew of a message that is there", () => {
  const mark = { value: 1 };
  const open = apply(EMPTY, { type: "stored", messages: [STORED[0], { ...STORED[1], mark }], at: 0 });
  assert.deepEqual(
    path(open).map(({ facts }) => facts),
    [{}, { mark }],
  );
  const changed = apply(open, { type: "stored", messages: [STORED[0], { ...STORED[1], mark: null }], at: 0 });
  assert.deepEqual(path(changed)[1].facts, { mark: null });
  assert.equal(path(changed)[0], path(open)[0]);
});

test("what is noted of a message leaves all else as it is", () => {
  const open = apply(EMPTY, { type: "stored", messages: STORED.slice(0, 2), at: 0 });
  const noted = apply(open, { type: "noted", key: "2", facts: { mark: "x" } });
  assert.deepEqual(path(noted)[1], { ...path(open)[1], facts: { mark: "x" } });
  assert.equal(path(noted)[0], path(open)[0]);
});

test("an empty conversation is an empty path", () => {
  assert.deepEqual(path(apply(EMPTY, { type: "stored", messages: [], at: 0 })), []);
});
