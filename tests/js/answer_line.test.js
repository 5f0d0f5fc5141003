import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./browser_tabs.js";
import { settled } from "./clock.js";
import { answer, seqs, set } from "./rig.js";
import { Body, DONE, END, OK, STREAM, says } from "./server.js";

/** A tab that follows the answer from its beginning. @param {Browser} browser @param {string} [stream] */
function follower(browser, stream = STREAM) {
  const tab = set(browser.tab());
  return { ...tab, run: tab.connection.follow(stream, -1) };
}

/** What a look finds. @param {ReturnType<typeof set>} tab @param {[number, object][]} events */
async function found({ server }, events) {
  await settled();
  const body = new Body(server.last.options.signal);
  server.last.reply(body.response);
  for (const [seq, response] of events) body.event(seq, response);
  body.end();
  await settled();
}

/** @param {ReturnType<typeof set>} tab */
const paths = ({ server }) => server.asked.map(({ path }) => path.replace(STREAM, "s"));

test("of the tabs that show an answer one reads it, and the others have each event once, in order", async () => {
  const browser = new Browser();
  const [first, second] = [follower(browser), follower(browser)];
  const body = await answer(first.server);
  body.event(0, OK);
  body.event(1, says("Hel"));
  await found(second, [
    [0, OK],
    [1, says("Hel")],
  ]);
  body.event(2, says("lo"));
  body.event(3, END);
  body.write(DONE);
  await Promise.all([first.run, second.run]);
  assert.deepEqual(
    [seqs(first.told), seqs(second.told)],
    [
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ],
  );
  assert.deepEqual([paths(first), paths(second)], [["/v2/streams/s"], ["/v2/streams/s?poll=1"]]);
  assert.deepEqual(second.told.ends, [["complete", null]]);
  await settled();
  assert.deepEqual(browser.held, []);
});

test("what another tab reads during a look comes after what the look finds", async () => {
  const browser = new Browser();
  const [first, second] = [follower(browser), follower(browser)];
  const body = await answer(first.server);
  for (const seq of [0, 1, 2, 3]) body.event(seq, says(`${seq}`));
  await settled();
  assert.deepEqual(seqs(second.told), []);
  await found(second, [
    [0, OK],
    [1, says("1")],
    [2, says("2")],
  ]);
  assert.deepEqual(seqs(second.told), [0, 1, 2, 3]);
});

test("where an event is missing the log is asked again, and nothing is taken twice", async () => {
  const browser = new Browser();
  const first = follower(browser);
  const body = await answer(first.server);
  body.event(0, OK);
  await settled();
  const second = follower(browser);
  await found(second, []);
  body.event(1, says("1"));
  await found(second, [
    [0, OK],
    [1, says("1")],
  ]);
  body.event(2, says("2"));
  await settled();
  assert.deepEqual(seqs(second.told), [0, 1, 2]);
  assert.equal(second.server.asked.length, 2);
});

test("when the tab that reads is hidden another goes on, from the last event that it has", async () => {
  const browser = new Browser();
  const [first, second] = [follower(browser), follower(browser)];
  const body = await answer(first.server);
  body.event(0, OK);
  await found(second, [[0, OK]]);
  body.event(1, says("1"));
  await settled();
  first.connection.hide();
  await settled();
  assert.deepEqual(paths(second), ["/v2/streams/s?poll=1", "/v2/streams/s?after=1"]);
  const next = await answer(second.server);
  next.event(2, END);
  next.write(DONE);
  await second.run;
  assert.deepEqual(seqs(second.told), [0, 1, 2]);
});

test("a fourth answer finds no connection free, and is looked at each second until one is", async () => {
  const browser = new Browser();
  const others = [1, 2, 3].map((number) => follower(browser, STREAM.replace(/^./, String(number))));
  for (const other of others) await answer(other.server);
  const fourth = follower(browser);
  await found(fourth, [[0, OK]]);
  assert.deepEqual(paths(fourth), ["/v2/streams/s?poll=1"]);
  await fourth.clock.pass(1000);
  await found(fourth, [[1, says("1")]]);
  others[0].connection.leave();
  await fourth.clock.pass(1000);
  assert.deepEqual(paths(fourth).slice(1), ["/v2/streams/s?poll=1&after=0", "/v2/streams/s?after=1"]);
});

test("a question that finds no connection free for its answer gives up the one that it came by", async () => {
  const browser = new Browser();
  const others = [1, 2, 3].map((number) => follower(browser, STREAM.replace(/^./, String(number))));
  for (const other of others) await answer(other.server);
  const asking = set(browser.tab());
  void asking.connection.ask({ request_id: "r" });
  await settled();
  const post = asking.server.last;
  await answer(asking.server);
  assert.ok(post.options.signal?.aborted);
  assert.equal(asking.connection.state, "polling");
  assert.deepEqual(asking.told.lines, []);
  assert.equal(asking.server.posts.length, 1);
});
