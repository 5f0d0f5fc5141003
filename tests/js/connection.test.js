import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../static/chat/connection.js";
import { Lost } from "../../static/chat/failure.js";
import { backoff, MOVES, move } from "../../static/chat/moves.js";
import { FIRST_BYTE, POLL, SILENCE, STALE } from "../../static/chat/patience.js";
import { HELD } from "../../static/chat/sentences.js";
import { FakeClock, settled } from "./clock.js";
import { Body, CONVERSATION, DONE, END, error, FakeServer, OK, STREAM, says } from "./server.js";

/** A connection with everything it needs, and what it has told. */
function set() {
  const clock = new FakeClock();
  const server = new FakeServer(Lost);
  const told = {
    /** @type {string[]} */ accepted: [],
    /** @type {[number, GeminiResponse][]} */ events: [],
    /** @type {string[]} */ lines: [],
    /** @type {[End, Failure | null][]} */ ends: [],
  };
  const tell = {
    accepted: (/** @type {string} */ stream, /** @type {string} */ conversation) =>
      told.accepted.push(stream, conversation),
    received: (/** @type {number} */ seq, /** @type {GeminiResponse} */ response) => told.events.push([seq, response]),
    line: (/** @type {string} */ line) => told.lines.push(line),
    ended: (/** @type {End} */ end, /** @type {Failure | null} */ failure) => told.ends.push([end, failure]),
  };
  const connection = new Connection({ session: server, clock, tell, random: () => 0.5 });
  return { clock, server, told, connection };
}

/** @param {FakeServer} server */
async function answer(server) {
  await settled();
  const body = new Body(server.last.options.signal);
  server.last.reply(body.response);
  body.write("retry: 1000\n");
  await settled();
  return body;
}

/** @param {{events: [number, GeminiResponse][]}} told */
const seqs = (told) => told.events.map(([seq]) => seq);

/** A connection that has asked and read events 0 and 1. */
async function streaming() {
  const all = set();
  const run = all.connection.ask({ request_id: "r" });
  const body = await answer(all.server);
  body.event(0, OK);
  body.event(1, says("Hel"));
  await settled();
  return { ...all, run, body };
}

test("only the moves of the table are legal", () => {
  const states = /** @type {State[]} */ (Object.keys(MOVES));
  for (const from of states) {
    for (const to of states) {
      if (MOVES[from].includes(to)) assert.equal(move(from, to), to);
      else assert.throws(() => move(from, to), new RegExp(`from ${from} to ${to}`));
    }
  }
  assert.deepEqual(MOVES.ended, []);
});

test("every state but idle can be reached, and from every state there is a way to the end", () => {
  const reach = (/** @type {State} */ from, seen = new Set([from])) => {
    for (const to of MOVES[from]) if (!seen.has(to)) reach(to, seen.add(to));
    return seen;
  };
  assert.equal(reach("idle").size, Object.keys(MOVES).length);
  for (const from of /** @type {State[]} */ (Object.keys(MOVES))) assert.ok(reach(from).has("ended"), from);
});

test("back-off is full jitter under a doubling ceiling", () => {
  assert.equal(
    backoff(3, () => 0),
    0,
  );
  assert.equal(
    backoff(1, () => 1),
    500,
  );
  assert.equal(
    backoff(4, () => 1),
    4000,
  );
  assert.equal(
    backoff(40, () => 1),
    15_000,
  );
});

test("one question, one answer, in order", async () => {
  const { body, run, told, connection, server } = await streaming();
  body.event(2, END);
  body.write(DONE);
  await run;
  assert.equal(connection.state, "ended");
  assert.deepEqual(told.accepted, [STREAM, CONVERSATION]);
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

test("a body that ends cleanly without an end is cut just the same", async () => {
  const { body, connection, told } = await streaming();
  body.end();
  await settled();
  assert.equal(connection.state, "waiting");
  assert.deepEqual(told.ends, []);
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

for (const code of [400, 401, 403, 404, 413]) {
  test(`${code} is final`, async () => {
    const { server, connection, told, clock } = set();
    const run = connection.ask({ request_id: "r" });
    await settled();
    server.last.reply(error(code));
    await run;
    await clock.pass(60_000);
    assert.equal(server.asked.length, 1);
    assert.equal(told.ends[0][0], "failed");
    assert.equal(told.ends[0][1]?.message, `Error ${code}.`);
  });
}

for (const code of [408, 429, 500, 503]) {
  test(`${code} is tried again`, async () => {
    const { server, connection, clock } = set();
    void connection.ask({ request_id: "r" });
    await settled();
    server.last.reply(error(code));
    await clock.pass(500);
    assert.equal(server.posts.length, 2);
  });
}

test("Retry-After is waited for, even when the page comes back before", async () => {
  const { server, connection, clock } = set();
  void connection.ask({ request_id: "r" });
  await settled();
  server.last.reply(error(429, { "Retry-After": "9" }));
  await clock.pass(8_000);
  connection.wake();
  await settled();
  assert.equal(server.posts.length, 1);
  await clock.pass(2_000);
  assert.equal(server.posts.length, 2);
});

test("a wait that no reader sits through is an end with the server's sentence", async () => {
  const { server, connection, told } = set();
  const run = connection.ask({ request_id: "r" });
  await settled();
  server.last.reply(error(429, { "Retry-After": "7200" }));
  await run;
  assert.equal(told.ends[0][1]?.code, 429);
});

test("a server that keeps failing before it takes the message is told to the reader", async () => {
  const { server, connection, clock, told } = set();
  const run = connection.ask({ request_id: "r" });
  for (let round = 0; round < 7; round++) {
    await settled();
    server.last.reply(error(503));
    await clock.pass(16_000);
  }
  await run;
  assert.deepEqual(told.ends[0][0], "failed");
  assert.equal(server.posts.length, 7);
});

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
  assert.equal(server.last.path, `/v2/streams/${STREAM}?after=1&poll=1`);
  const second = await answer(server);
  second.event(2, END);
  second.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [0, 1, 2]);
  assert.equal(server.posts.length, 1);
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

test("a running stream is followed from where the page is", async () => {
  const { server, connection, told } = set();
  const run = connection.follow(STREAM, -1);
  await settled();
  assert.equal(server.last.path, `/v2/streams/${STREAM}?`);
  const body = await answer(server);
  body.event(0, OK);
  body.event(1, END);
  body.write(DONE);
  await run;
  assert.deepEqual(seqs(told), [0, 1]);
  assert.equal(server.posts.length, 0);
});

test("events of an unknown kind are passed over", async () => {
  const { body, told } = await streaming();
  body.write(`event: execute\ndata: alert(1)\n\nid: nonsense\ndata: {}\n\n: comment\n\n`);
  await settled();
  assert.deepEqual(seqs(told), [0, 1]);
});
