import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedFeed } from "../../static/chat/shared_feed.js";
import { settled } from "./clock.js";

/** A browser: one lock, and a channel between its tabs. */
class Browser {
  /** @type {(() => void)[]} */
  waiting = [];
  held = false;
  /** @type {Tab[]} */
  tabs = [];

  /** @param {string} _ @param {{signal: AbortSignal}} options @param {() => Promise<void>} run */
  async request(_, { signal }, run) {
    while (this.held) {
      await new Promise((resolve, reject) => {
        this.waiting.push(() => resolve(undefined));
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      signal.throwIfAborted();
    }
    this.held = true;
    try {
      await run();
    } finally {
      this.held = false;
      for (const wake of this.waiting.splice(0)) wake();
    }
  }
}

/** A tab, its feed, and what it was told. */
class Tab {
  /** @type {string[]} */
  heard = [];
  isReading = false;
  place = "";
  /** @type {(event: {data: object}) => void} */
  onMessage = () => {};
  /** @type {(place: string, line: FeedLine) => void} */
  told = () => {};

  /** @param {Browser} browser @param {boolean} [hasLocks] */
  constructor(browser, hasLocks = true) {
    browser.tabs.push(this);
    const channel = {
      postMessage: (/** @type {object} */ data) => {
        for (const tab of browser.tabs) if (tab !== this) tab.onMessage({ data });
      },
      addEventListener: (/** @type {string} */ _, /** @type {any} */ listener) => {
        this.onMessage = listener;
      },
    };
    this.shared = new SharedFeed({
      locks: hasLocks ? /** @type {any} */ (browser) : undefined,
      channel: /** @type {any} */ (channel),
      tell: (line) => this.heard.push(line.type),
      feed: (told) => {
        this.told = (place, line) => {
          this.place = place;
          told(place, line);
        };
        return this;
      },
    });
  }

  /** @param {AbortSignal} signal */
  async run(signal) {
    this.isReading = true;
    await new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
    this.isReading = false;
  }
}

/** @param {string} type @returns {FeedLine} */
const line = (type) => ({ type, conversation: "c" });

test("of all tabs one reads, and all are told", async () => {
  const browser = new Browser();
  const tabs = [1, 2, 3].map(() => new Tab(browser));
  for (const tab of tabs) tab.shared.show();
  await settled();
  tabs[0].told("feed:3", line("started"));
  assert.deepEqual(
    tabs.map((tab) => [tab.isReading, tab.heard, tab.place]),
    [
      [true, ["started"], "feed:3"],
      [false, ["started"], "feed:3"],
      [false, ["started"], "feed:3"],
    ],
  );
});

test("a tab that is hidden passes the line on, from the place that all have reached", async () => {
  const browser = new Browser();
  const [first, second] = [new Tab(browser), new Tab(browser)];
  first.shared.show();
  second.shared.show();
  await settled();
  first.told("feed:3", line("started"));
  first.shared.hide();
  await settled();
  assert.deepEqual([first.isReading, second.isReading, second.place], [false, true, "feed:3"]);
  second.told("feed:5", line("ended"));
  assert.deepEqual(first.heard, ["started", "ended"]);
});

test("tabs that nobody looks at read nothing, also not when their turn comes", async () => {
  const browser = new Browser();
  const tabs = [1, 2].map(() => new Tab(browser));
  for (const tab of tabs) tab.shared.show();
  await settled();
  tabs[1].shared.hide();
  tabs[0].shared.hide();
  await settled();
  assert.deepEqual(
    tabs.map((tab) => tab.isReading),
    [false, false],
  );
  tabs[1].shared.show();
  tabs[1].shared.show();
  await settled();
  assert.deepEqual(
    tabs.map((tab) => tab.isReading),
    [false, true],
  );
});

test("what was told before is not told again", async () => {
  const browser = new Browser();
  const [first, second] = [new Tab(browser), new Tab(browser)];
  second.shared.place = "feed:9";
  first.shared.show();
  await settled();
  first.told("feed:8", line("started"));
  first.told("feed:10", line("ended"));
  first.told("feed:10", line("ended"));
  assert.deepEqual(second.heard, ["ended"]);
});

test("without locks each tab that is looked at reads for itself", async () => {
  const browser = new Browser();
  const tabs = [1, 2].map(() => new Tab(browser, false));
  for (const tab of tabs) tab.shared.show();
  await settled();
  assert.deepEqual(
    tabs.map((tab) => tab.isReading),
    [true, true],
  );
});
