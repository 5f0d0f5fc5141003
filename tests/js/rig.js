/** A connection with everything it needs, handed in. */
import { Connection } from "../../static/chat/connection.js";
import { Lost } from "../../static/chat/errors.js";
import { FakeClock, settled } from "./clock.js";
import { Body, FakeServer, OK, says } from "./server.js";

/** A connection with everything it needs, and what it has told.
 * @param {Tabs | null} [tabs] the browser that its tab is of */
export function set(tabs = null) {
  const clock = new FakeClock();
  const server = new FakeServer(Lost);
  const told = {
    /** @type {object[]} */ accepted: [],
    /** @type {[number, GeminiResponse][]} */ events: [],
    /** @type {string[]} */ lines: [],
    /** @type {[End, Failure | null][]} */ ends: [],
  };
  const tell = {
    accepted: (/** @type {object} */ names) => told.accepted.push(names),
    received: (/** @type {number} */ seq, /** @type {GeminiResponse} */ response) => told.events.push([seq, response]),
    line: (/** @type {string} */ line) => told.lines.push(line),
    ended: (/** @type {End} */ end, /** @type {Failure | null} */ failure) => told.ends.push([end, failure]),
  };
  const connection = new Connection({ session: server, clock, tell, tabs, random: () => 0.5 });
  return { clock, server, told, connection };
}

/** @param {FakeServer} server */
export async function answer(server) {
  await settled();
  const body = new Body(server.last.options.signal);
  server.last.reply(body.response);
  body.write("retry: 1000\n");
  await settled();
  return body;
}

/** @param {{events: [number, GeminiResponse][]}} told */
export const seqs = (told) => told.events.map(([seq]) => seq);

/** A connection that has asked and read events 0 and 1. */
export async function streaming() {
  const all = set();
  const run = all.connection.ask({ request_id: "r" });
  const body = await answer(all.server);
  body.event(0, OK);
  body.event(1, says("Hel"));
  await settled();
  return { ...all, run, body };
}
