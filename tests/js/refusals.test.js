import assert from "node:assert/strict";
import { test } from "node:test";
import { later } from "../../static/chat/messages.js";
import { settled } from "./clock.js";
import { set } from "./rig.js";
import { error } from "./server.js";

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

test("what may not last says why, and counts down to when the page asks again", async () => {
  const { server, connection, told, clock } = set();
  void connection.ask({ request_id: "r" });
  await settled();
  server.last.reply(error(429, { "Retry-After": "9" }));
  await settled();
  await clock.pass(2_000);
  assert.deepEqual(
    told.lines,
    [9, 8, 7].map((left) => `Error 429. The page tries again by itself in ${left} s…`),
  );
  const failure = { code: 429, status: "X", message: "Too fast. Try again in 3 s.", retryAfter: 3 };
  assert.equal(later(failure, 3), "Too fast. The page tries again by itself in 3 s…");
});

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
    await clock.pass(8_000);
  }
  await run;
  assert.deepEqual(told.ends[0][0], "failed");
  assert.equal(server.posts.length, 7);
});
