import assert from "node:assert/strict";
import { test } from "node:test";
import { HELD } from "../../static/chat/messages.js";
import { FIRST_BYTE, HIDDEN_POLL, POLL, SILENCE, STALE, STOP_WAIT } from "../../static/chat/watchdog.js";
import { settled } from "./clock.js";
import { answer, seqs, set, streaming } from "./rig.js";
import { Body, DONE, END, error, OK, STREAM, says } from "./server.js";

test("a line without a byte for 2 to 3 heartbeats is given up and found again", async () => {
  const { server, clock, body } = await streaming();
  for (let beat = 0; beat < 6; beat++) {
    await clock.pass(15_000);
    body.write(": \n\n");
    await settled();
  }
  assert.equal(server.asked.length, 1);
  await clock.pass(SILENCE + 500);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
  assert.ok(SILENCE > 2 * 15_000 && SILENCE <= 3 * 15_000);
});

test("back from sleep, a line that was silent is not trusted", async () => {
  const { server, clock, connection } = await streaming();
  await clock.pass(STALE - 1000);
  connection.wake();
  await settled();
  assert.equal(server.asked.length, 1);
  await clock.pass(2000);
  connection.wake();
  await clock.pass(500);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
});

test("back online, a waiting line tries at once", async () => {
  const { server, clock, connection, body } = await streaming();
  body.cut();
  for (let round = 0; round < 6; round++) {
    await clock.pass(15_000);
    server.last.fail();
  }
  await settled();
  const before = server.asked.length;
  connection.wake();
  await settled();
  assert.equal(server.asked.length, before + 1);
});

test("a held stream is polled in steps, and the reader is told", async () => {
  const { server, clock, connection, told } = set();
  const run = connection.ask({ request_id: "r" });
  await settled();
  server.last.reply(new Body(server.last.options.signal).response);
  await clock.pass(FIRST_BYTE);
  assert.equal(connection.state, "polling");
  assert.deepEqual(told.lines, [HELD]);
  await clock.pass(POLL);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?poll=1`);
  const first = await answer(server);
  first.event(0, OK);
  first.event(1, says("Hel"));
  first.end();
  await clock.pass(POLL);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?poll=1&after=1`);
  const second = await answer(server);
  second.event(2, END);
  second.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [0, 1, 2]);
  assert.equal(server.posts.length, 1);
});

test("where even the headers are held back, the message is sent again to join, and polled", async () => {
  const { server, clock, connection, told } = set();
  const run = connection.ask({ request_id: "r" });
  await clock.pass(FIRST_BYTE);
  assert.deepEqual(told.lines, []);
  assert.equal(server.last.path, "/healthz");
  server.last.reply(new Response());
  await clock.pass(500);
  assert.deepEqual(told.lines, [HELD]);
  assert.equal(server.last.path, "/v2/echat?poll=1");
  assert.equal(server.posts[0].options.body, server.posts[1].options.body);
  const first = await answer(server);
  first.event(0, OK);
  first.end();
  await clock.pass(POLL);
  assert.equal(connection.state, "polling");
  assert.equal(server.last.path, `/v2/streams/${STREAM}?poll=1&after=0`);
  assert.deepEqual(told.lines, [HELD, HELD]);
  const second = await answer(server);
  second.event(1, END);
  second.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [0, 1]);
});

test("where nothing else is answered either, no connection is free, and nothing is said of the way", async () => {
  const { server, clock, connection, told } = set();
  void connection.ask({ request_id: "r" });
  await clock.pass(FIRST_BYTE);
  server.last.fail();
  await clock.pass(5_000);
  assert.deepEqual([connection.state, told.lines, server.posts.length], ["sending", [], 1]);
  server.asked[0].reply(new Body(server.asked[0].options.signal).response);
  await settled();
  assert.equal(connection.state, "streaming");
});

test("a hidden page gives its connection up, asks now and then, and streams on when it is looked at", async () => {
  const { server, connection, clock, told } = await streaming();
  connection.hide();
  await settled();
  assert.equal(connection.state, "polling");
  assert.equal(server.asked[0].options.signal?.aborted, true);
  await clock.pass(HIDDEN_POLL);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?poll=1&after=1`);
  const polled = await answer(server);
  polled.event(2, says("lo"));
  polled.end();
  await settled();
  connection.wake();
  await settled();
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=2`);
  const rest = await answer(server);
  rest.event(3, END);
  rest.write(DONE);
  await settled();
  assert.deepEqual([seqs(told), told.lines, connection.state], [[0, 1, 2, 3], [], "ended"]);
});

test("a question of a page that is hidden meanwhile is sent, and then only asked after", async () => {
  const { server, connection, clock } = set();
  void connection.ask({ request_id: "r" });
  await settled();
  connection.hide();
  assert.equal(server.posts[0].options.signal?.aborted, false);
  server.last.reply(new Body(server.last.options.signal).response);
  await clock.pass(HIDDEN_POLL);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?poll=1`);
});

test("a stop that finds no free connection takes that of its own stream", async () => {
  const { server, connection, clock } = await streaming();
  void connection.stop();
  await clock.pass(STOP_WAIT);
  assert.equal(server.asked[0].options.signal?.aborted, true);
  await clock.pass(500);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
});

test("a stop that the server refuses is thrown, while the answer goes on, and may be asked for again", async () => {
  const { server, connection, body, told } = await streaming();
  const stopping = connection.stop();
  await settled();
  server.last.reply(error(500));
  await assert.rejects(stopping, { message: "Error 500." });
  body.event(2, says("more"));
  await settled();
  assert.deepEqual(seqs(told), [0, 1, 2]);
  void connection.stop();
  await settled();
  assert.equal(server.asked.filter(({ path }) => path.endsWith("/stop")).length, 2);
});

test("a stop that is lost alone is said again on a new line", async () => {
  const { server, connection, clock } = await streaming();
  const stopping = connection.stop();
  await settled();
  server.last.fail();
  await stopping;
  await clock.pass(500);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
  await answer(server);
  assert.equal(server.asked.filter(({ path }) => path.endsWith("/stop")).length, 2);
});

test("what a page has left is told no more of it", async () => {
  const { connection, body, told } = await streaming();
  connection.leave();
  body.event(2, says("late"));
  await settled();
  assert.deepEqual([seqs(told), told.ends], [[0, 1], []]);
});

test("a page that stood still in the browser's cache does not trust its line", async () => {
  const { server, clock, connection, told } = await streaming();
  connection.wake(true);
  await clock.pass(500);
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1`);
  assert.equal(server.posts.length, 1);
  const body = await answer(server);
  body.event(2, END);
  await settled();
  body.end();
  await settled();
  assert.deepEqual(told.ends, [["complete", null]]);
});

test("stop before the first event stops the stream as soon as it has a name", async () => {
  const { server, connection } = set();
  void connection.ask({ request_id: "r" });
  await settled();
  await connection.stop();
  assert.equal(server.asked.length, 1);
  server.last.reply(new Body(server.last.options.signal).response);
  await settled();
  assert.equal(server.last.path, `/v2/streams/${STREAM}/stop`);
});

test("stop of a message that was never sent ends it here", async () => {
  const { server, connection, told } = set();
  const run = connection.ask({ request_id: "r" });
  await settled();
  server.last.fail();
  await settled();
  await connection.stop();
  await run;
  assert.deepEqual(told.ends, [["stopped", null]]);
});

test("a stop that was lost is said again when the stream is found back", async () => {
  const { server, connection, body, clock } = await streaming();
  const stopping = connection.stop();
  await settled();
  assert.equal(server.last.path, `/v2/streams/${STREAM}/stop`);
  server.last.fail();
  await stopping;
  body.cut();
  await clock.pass(500);
  await answer(server);
  assert.equal(server.asked.filter(({ path }) => path.endsWith("/stop")).length, 2);
});
