import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./clock.js";
import { answer, seqs, set, streaming } from "./rig.js";
import { ANSWER, CONVERSATION, DONE, END, error, OK, QUESTION, STREAM, says } from "./server.js";

test("one question, one answer, in order", async () => {
  const { body, run, told, connection, server } = await streaming();
  body.event(2, END);
  body.write(DONE);
  await run;
  assert.equal(connection.state, "ended");
  assert.deepEqual(told.accepted, [{ stream: STREAM, conversation: CONVERSATION, question: QUESTION, answer: ANSWER }]);
  assert.deepEqual(seqs(told), [0, 1, 2]);
  assert.deepEqual(told.ends, [["complete", null]]);
  assert.equal(server.asked.length, 1);
});

test("a cut body is not an end: it goes on after the last event, and asks nothing again", async () => {
  const { body, run, told, server, clock } = await streaming();
  body.cut();
  await clock.pass(500);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
  const rest = await answer(server);
  rest.event(2, says("lo"));
  rest.event(3, END);
  rest.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [0, 1, 2, 3]);
  assert.equal(server.posts.length, 1);
});

/** What each request said of a receipt. @param {import("./server.js").FakeServer} server */
const receipts = (server) => server.asked.map(({ options }) => new Headers(options.headers).get("X-WonderCam-Receipt"));

test("whoever asked says that a receipt will follow, with the question and when it goes on", async () => {
  const { body, server, clock } = await streaming();
  body.cut();
  await clock.pass(500);
  assert.deepEqual(receipts(server), ["1", "1"]);
});

test("a body that ends cleanly without an end is cut just the same", async () => {
  const { body, connection, told } = await streaming();
  body.end();
  await settled();
  assert.equal(connection.state, "waiting");
  assert.deepEqual(told.ends, []);
});

test("an error without a place ends the reading alone: whether it may go on is asked again", async () => {
  const { body, run, told, server, clock } = await streaming();
  body.write('data: {"error":{"code":401,"status":"UNAUTHENTICATED","message":"No more."}}\n\n');
  body.write(DONE);
  await clock.pass(500);
  assert.deepEqual(told.ends, []);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
  server.last.reply(error(401));
  await run;
  assert.deepEqual(told.ends, [["failed", { code: 401, status: "X", message: "Error 401.", retryAfter: undefined }]]);
  assert.equal(server.posts.length, 1);
});

test("a line that is lost after the last event is no loss", async () => {
  const { body, run, told, server } = await streaming();
  body.event(2, END);
  await settled();
  body.cut();
  await run;
  assert.deepEqual(told.ends, [["complete", null]]);
  assert.equal(server.asked.length, 1);
});

test("a lost POST goes out again as it was, which joins", async () => {
  const { server, clock, connection, told } = set();
  void connection.ask({ request_id: "r" });
  await settled();
  server.last.fail();
  await clock.pass(500);
  assert.equal(server.posts.length, 2);
  assert.equal(server.posts[0].options.body, server.posts[1].options.body);
  assert.match(told.lines[0], /Not sent yet/);
});

test("once there is a stream, there is no second POST, whatever fails", async () => {
  const { body, server, clock } = await streaming();
  body.cut();
  for (let round = 0; round < 8; round++) {
    await clock.pass(15_000);
    server.last.fail();
  }
  await clock.pass(15_000);
  assert.equal(server.posts.length, 1);
  assert.ok(server.asked.length > 8);
});

test("events that come again are passed on once", async () => {
  const { body, run, told, server, clock } = await streaming();
  body.cut();
  await clock.pass(500);
  const rest = await answer(server);
  for (const seq of [0, 1, 1, 2]) rest.event(seq, says("x"));
  rest.event(3, END);
  await settled();
  rest.end();
  await run;
  assert.deepEqual(seqs(told), [0, 1, 2, 3]);
});

test("a missing event is fetched, not skipped", async () => {
  const { body, told, server, clock } = await streaming();
  body.event(3, says("late"));
  await clock.pass(500);
  assert.deepEqual(seqs(told), [0, 1]);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
});

test("bytes may be split anywhere, in the middle of a character too", async () => {
  const { body, run, told } = await streaming();
  const rest = new TextEncoder().encode(
    `id: ${STREAM}:2\ndata: ${JSON.stringify(says("é😀", { finishReason: "STOP" }))}\n\n`,
  );
  for (const byte of rest) body.bytes(Uint8Array.of(byte));
  body.write(DONE);
  await run;
  assert.equal(told.events[2][1].candidates?.[0]?.content?.parts?.[0]?.text, "é😀");
});

test("a running stream is followed from where the page is", async () => {
  const { server, connection, told } = set();
  const run = connection.follow(STREAM, -1);
  await settled();
  assert.equal(server.last.path, `/v2/streams/${STREAM}`);
  const body = await answer(server);
  body.event(0, OK);
  body.event(1, END);
  body.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [0, 1]);
  assert.equal(server.posts.length, 0);
  assert.deepEqual(receipts(server), [null]);
});

test("who did not ask is given what was said so far in one event, and what follows behind it", async () => {
  const { server, connection, told } = set();
  const run = connection.follow(STREAM, -1);
  await settled();
  assert.equal(new Headers(server.last.options.headers).get("X-WonderCam-Snapshot"), "1");
  const body = await answer(server);
  body.event(40, { ...says("forty events"), wondercam: { snapshot: 1 } });
  body.event(41, END);
  body.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [40, 41]);
  assert.deepEqual(told.ends, [["complete", null]]);
});

test("events of an unknown kind are passed over", async () => {
  const { body, told } = await streaming();
  body.write(`event: execute\ndata: alert(1)\n\nid: nonsense\ndata: {}\n\n: comment\n\n`);
  await settled();
  assert.deepEqual(seqs(told), [0, 1]);
});
