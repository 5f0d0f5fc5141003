import assert from "node:assert/strict";
import { test } from "node:test";
import { Lost, Refused, refusal } from "../../static/chat/errors.js";
import { Session } from "../../static/chat/session.js";
import { FakeClock } from "./clock.js";

/** A session whose server gives a new token each time, and answers everything else by `answer`. */
function set(answer = () => Response.json({ fine: true })) {
  const clock = new FakeClock();
  /** @type {[string, Record<string, string>][]} */
  const asked = [];
  let tokens = 0;
  const fetch = async (/** @type {string} */ path, /** @type {RequestInit} */ options) => {
    asked.push([path, /** @type {Record<string, string>} */ (options.headers)]);
    if (path === "/v2/auth/session") return Response.json({ access: `token-${++tokens}`, expires_in: 300 });
    return answer();
  };
  return { asked, clock, session: new Session({ fetch: /** @type {any} */ (fetch), clock, csrf: () => "csrf" }) };
}

const paths = (/** @type {[string, object][]} */ asked) => asked.map(([path]) => path);

test("one token serves many requests, asked for once even by many at a time", async () => {
  const { session, asked } = set();
  await Promise.all([session.request("/a"), session.request("/b"), session.request("/c")]);
  assert.equal(paths(asked).filter((path) => path === "/v2/auth/session").length, 1);
  assert.equal(asked[0][1]["X-CSRFToken"], "csrf");
  assert.equal(asked[1][1].Authorization, "Bearer token-1");
});

test("the token is renewed before it runs out", async () => {
  const { session, asked, clock } = set();
  await session.request("/a");
  await clock.pass(269_000);
  await session.request("/b");
  assert.equal(asked[2][1].Authorization, "Bearer token-1");
  await clock.pass(2_000);
  await session.request("/c");
  assert.equal(asked[asked.length - 1][1].Authorization, "Bearer token-2");
});

test("a token that is refused is renewed once, and not for ever", async () => {
  const { session, asked } = set(() =>
    Response.json({ error: { code: 401, status: "X", message: "No." } }, { status: 401 }),
  );
  assert.equal((await session.request("/a")).status, 401);
  assert.deepEqual(paths(asked), ["/v2/auth/session", "/a", "/v2/auth/session", "/a"]);
});

test("a request that nothing came back from is lost, not refused", async () => {
  const fetch = async () => {
    throw new TypeError("network");
  };
  const session = new Session({ fetch: /** @type {any} */ (fetch), clock: new FakeClock(), csrf: () => "" });
  await assert.rejects(session.request("/a"), Lost);
});

test("an answer that never comes, breaks off or is none is lost, with a sentence", async () => {
  const aborted = (/** @type {AbortSignal} */ signal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(new DOMException("Aborted", "AbortError"))),
    );
  const broken = new ReadableStream({ start: (body) => body.error(new TypeError("network error")) });
  for (const answer of [aborted, async () => new Response(broken), async () => new Response("<html>")]) {
    const clock = new FakeClock();
    const fetch = (/** @type {string} */ path, /** @type {RequestInit & {signal: AbortSignal}} */ { signal }) =>
      path === "/v2/auth/session" ? Promise.resolve(Response.json({ access: "a", expires_in: 300 })) : answer(signal);
    const session = new Session({ fetch: /** @type {any} */ (fetch), clock, csrf: () => "" });
    const asked = assert.rejects(
      session.json("GET", "/a"),
      (error) => error instanceof Lost && /reached/.test(error.message),
    );
    await clock.pass(45_000);
    await asked;
  }
});

test("a refusal carries the server's sentence, its code and how long to wait", async () => {
  const body = { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Too fast." } };
  const { failure } = await refusal(Response.json(body, { status: 429, headers: { "Retry-After": "7" } }));
  assert.deepEqual(failure, { code: 429, status: "RESOURCE_EXHAUSTED", message: "Too fast.", retryAfter: 7 });
});

test("a refusal that is no JSON becomes a sentence all the same", async () => {
  const { failure } = await refusal(new Response("<h1>Bad gateway</h1>", { status: 502 }));
  assert.match(failure.message, /trouble answering/);
});

test("only what cannot change is final", () => {
  const isFinal = (/** @type {number} */ code) => new Refused({ code, status: "", message: "" }).isFinal;
  for (const code of [400, 401, 403, 404, 409, 413, 415, 422]) assert.ok(isFinal(code), String(code));
  for (const code of [408, 429, 500, 502, 503, 504]) assert.ok(!isFinal(code), String(code));
});

test("a page of an account does not go on as the guest that its browser is after signing out elsewhere", async () => {
  const users = [
    { name: "ada", guest: false },
    { name: "Guest", guest: true },
  ];
  const fetch = async (/** @type {string} */ path) =>
    Response.json(path === "/v2/auth/session" ? { access: "a", expires_in: 300, user: users.shift() } : {});
  const session = new Session({ fetch: /** @type {any} */ (fetch), clock: new FakeClock(), csrf: () => "" });
  await session.request("/a");
  session.forget();
  await assert.rejects(session.request("/b"), (error) => {
    assert.ok(error instanceof Refused && error.isFinal);
    assert.equal(error.message, "Your session has ended. Reload the page, or sign in again.");
    return true;
  });
});

test("a guest who signs up in another window goes on in this one", async () => {
  const users = [
    { name: "Guest", guest: true },
    { name: "ada", guest: false },
  ];
  const fetch = async () => Response.json({ access: "a", expires_in: 300, user: users.shift() });
  const session = new Session({ fetch: /** @type {any} */ (fetch), clock: new FakeClock(), csrf: () => "" });
  await session.request("/a");
  session.forget();
  assert.equal((await session.request("/b")).status, 200);
});
