import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused } from "../../static/chat/errors.js";
import { BLOCKED, BrowserSubscription, MISSING, UNMADE } from "../../static/chat/push_subscription.js";

const KEY = "BCVxsr7N_eNgVRqvHtD0zTZs";

/** A subscription as the browser has it. */
class Made {
  endpoint = "https://push.example.com/one";
  ended = false;

  constructor(key = KEY) {
    this.options = { applicationServerKey: new Uint8Array(Buffer.from(key, "base64url")).buffer };
  }

  toJSON() {
    return { endpoint: this.endpoint, keys: { p256dh: "p", auth: "a" } };
  }

  async unsubscribe() {
    this.ended = true;
    return true;
  }
}

/**
 * A browser and a server.
 * @param {{permission?: string, answer?: string, made?: Made | null, fails?: Error, reached?: boolean}} [how]
 */
function set({ permission = "granted", answer = "granted", made = null, fails, reached = true } = {}) {
  /** @type {any[]} */
  const sent = [];
  const pushManager = {
    getSubscription: async () => made,
    subscribe: async (/** @type {any} */ options) => {
      if (!reached) throw new Error("AbortError: Registration failed - push service error");
      sent.push(["subscribe", options]);
      return new Made();
    },
  };
  const session = {
    json: async (/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ body) => {
      sent.push([method, path, body]);
      if (fails) throw fails;
    },
  };
  const asked = { count: 0 };
  const requestPermission = async () => {
    asked.count += 1;
    return answer;
  };
  const serviceWorker = { ready: Promise.resolve({ pushManager }) };
  const browser = /** @type {any} */ ({
    serviceWorker,
    notification: { permission, requestPermission },
    hasPush: true,
  });
  return { subscription: new BrowserSubscription(session, KEY, browser), browser, session, sent, asked };
}

const refused = (/** @type {number} */ code) => new Refused({ code, status: "X", message: "No." });

test("turned on, the reader is asked, and the server is told what the push service gave", async () => {
  const { subscription, sent, asked } = set({ permission: "default" });
  assert.equal(await subscription.isOn(), false);
  assert.equal(asked.count, 0);
  await subscription.turnOn();
  assert.equal(asked.count, 1);
  assert.deepEqual(sent, [
    ["subscribe", { userVisibleOnly: true, applicationServerKey: KEY }],
    ["POST", "/v2/push", new Made().toJSON()],
  ]);
});

test("what stands in the way is said, and nothing is sent", async () => {
  const denied = set({ answer: "denied" });
  await assert.rejects(denied.subscription.turnOn(), { message: BLOCKED });
  const unreached = set({ reached: false });
  await assert.rejects(unreached.subscription.turnOn(), { message: UNMADE });
  const old = set();
  old.browser.hasPush = false;
  await assert.rejects(new BrowserSubscription(old.session, KEY, old.browser).turnOn(), { message: MISSING });
  assert.deepEqual([...denied.sent, ...unreached.sent, ...old.sent], []);
});

test("turned off, the server is told first, and nothing is left in the browser", async () => {
  const made = new Made();
  const { subscription, sent } = set({ made });
  assert.equal(await subscription.isOn(), true);
  await subscription.turnOff();
  assert.deepEqual(sent, [["DELETE", "/v2/push", { endpoint: made.endpoint }]]);
  assert.equal(made.ended, true);
});

test("a page that is loaded renews what is there, and asks nobody where nothing is", async () => {
  const { subscription, sent } = set({ made: new Made() });
  await subscription.renew();
  assert.deepEqual(sent, [["PATCH", "/v2/push", new Made().toJSON()]]);
  for (const nothing of [set(), set({ permission: "default", made: new Made() })]) {
    await nothing.subscription.renew();
    assert.deepEqual([nothing.sent, nothing.asked.count], [[], 0]);
  }
});

test("what the server does not know is given up, and kept where the server was away", async () => {
  const made = new Made();
  await set({ made, fails: refused(404) }).subscription.renew();
  assert.equal(made.ended, true);
  const kept = new Made();
  await set({ made: kept, fails: refused(503) }).subscription.renew();
  assert.equal(kept.ended, false);
});

test("what was made for another key of the site is given up", async () => {
  const made = new Made("BAAA");
  const { subscription, sent } = set({ made });
  await subscription.renew();
  assert.deepEqual([sent[0][0], made.ended], ["DELETE", true]);
});
