import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversationFeed } from "../../static/chat/conversation_feed.js";
import { Lost } from "../../static/chat/errors.js";
import { SILENCE } from "../../static/chat/watchdog.js";
import { FakeClock, settled } from "./clock.js";
import { Body, DONE, error, FakeServer } from "./server.js";

/** @param {number} place @param {object} line */
const told = (place, line) => `id: feed:${place}\ndata: ${JSON.stringify(line)}\n\n`;

/** A feed that is being read, and what it has told. */
async function reading() {
  const clock = new FakeClock();
  const server = new FakeServer(Lost);
  /** @type {[string, FeedLine][]} */
  const lines = [];
  const tell = (/** @type {string} */ place, /** @type {FeedLine} */ line) => lines.push([place, line]);
  const feed = new ConversationFeed({ session: server, clock, tell, random: () => 0 });
  const reader = new AbortController();
  const run = feed.run(reader.signal);
  await settled();
  return { clock, server, lines, feed, reader, run };
}

/** @param {FakeServer} server */
async function answered(server) {
  const body = new Body(server.last.options.signal);
  server.last.reply(body.response);
  await settled();
  return body;
}

/** @param {FakeServer} server */
const placeAsked = (server) => new Headers(server.last.options.headers).get("Last-Event-ID");

test("each line is told with its place, and the next line goes on behind the last", async () => {
  const { clock, server, lines } = await reading();
  const body = await answered(server);
  assert.deepEqual([server.last.path, placeAsked(server)], ["/v2/feed", null]);
  body.write(told(4, { type: "generating", streams: [] }));
  body.write(told(7, { type: "renamed", conversation: "c", title: "Sea" }));
  await settled();
  body.cut();
  await clock.pass(1_000);
  assert.deepEqual(
    lines.map(([place, line]) => [place, line.type]),
    [
      ["feed:4", "generating"],
      ["feed:7", "renamed"],
    ],
  );
  assert.deepEqual([server.asked.length, placeAsked(server)], [2, "feed:7"]);
});

test("a reading that the server ends is found again", async () => {
  const { clock, server, lines } = await reading();
  const body = await answered(server);
  body.write(`data: ${JSON.stringify({ error: { code: 503, status: "UNAVAILABLE", message: "Down." } })}\n\n${DONE}`);
  body.end();
  await clock.pass(1_000);
  assert.deepEqual([lines.length, server.asked.length], [0, 2]);
});

test("a silent line is given up; heartbeats keep it", async () => {
  const { clock, server } = await reading();
  const body = await answered(server);
  for (let beat = 0; beat < 4; beat++) {
    await clock.pass(SILENCE - 1);
    body.write(": \n\n");
    await settled();
  }
  assert.equal(server.asked.length, 1);
  await clock.pass(SILENCE + 1_000);
  assert.equal(server.asked.length, 2);
});

test("who may not read asks no more; a server that is away is asked later, and later still", async () => {
  const { clock, server, run } = await reading();
  server.last.reply(error(503));
  await clock.pass(1_000);
  server.last.fail();
  await clock.pass(1_000);
  assert.equal(server.asked.length, 3);
  server.last.reply(error(403));
  await run;
  await clock.pass(100_000);
  assert.equal(server.asked.length, 3);
});

test("to end the reading lets the line go at once", async () => {
  const { server, reader, run } = await reading();
  await answered(server);
  reader.abort();
  await run;
  assert.equal(server.last.options.signal?.aborted, true);
});
