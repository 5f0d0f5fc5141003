import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedFeed } from "../../static/chat/shared_feed.js";
import { Browser } from "./browser_tabs.js";
import { settled } from "./clock.js";

/** A tab, its feed, and what it was told. */
class Tab {
  /** @type {string[]} */
  heard = [];
  isReading = false;
  place = "";
  looks = 0;
  /** What a look finds. @type {() => void} */
  finds = () => {};
  /** @type {(place: string, line: FeedLine) => void} */
  told = () => {};

  /** @param {Browser} browser @param {boolean} [hasLocks] */
  constructor(browser, hasLocks = true) {
    this.shared = new SharedFeed({
      tabs: hasLocks ? browser.tab() : null,
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

  async look() {
    this.looks += 1;
    await new Promise((resolve) => setImmediate(resolve));
    this.finds();
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

test("a tab that comes while another reads looks for what was told before it listened", async () => {
  const browser = new Browser();
  const first = new Tab(browser);
  first.shared.place = "feed:4";
  first.shared.show();
  await settled();
  assert.equal(first.looks, 0);
  first.told("feed:5", line("started")); // between the second tab's rendering and its script
  const second = new Tab(browser);
  second.shared.place = "feed:4";
  second.finds = () => second.told("feed:5", line("started"));
  second.shared.show();
  await settled();
  assert.deepEqual([second.looks, second.heard, second.place], [1, ["started"], "feed:5"]);
});

test("what is told while a tab looks comes after what it finds, once", async () => {
  const browser = new Browser();
  const [first, second] = [new Tab(browser), new Tab(browser)];
  first.shared.show();
  await settled();
  second.shared.place = "feed:4";
  second.finds = () => {
    first.told("feed:6", line("renamed"));
    first.told("feed:7", line("ended"));
    second.told("feed:5", line("started"));
    second.told("feed:6", line("renamed"));
  };
  second.shared.show();
  await settled();
  assert.deepEqual(second.heard, ["started", "renamed", "ended"]);
});
