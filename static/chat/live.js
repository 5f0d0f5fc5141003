/**
 * Shows changes of other tabs and devices, in this page's chat and in the list of chats.
 */
import { Later } from "./later.js";
import { tabs } from "./tabs.js";
import { Throttle } from "./throttle.js";

/** The shortest interval of reloads when the page becomes visible, in ms: browsers fire several events. */
const LOOK_AGAIN = 1000;

export class Live {
  #chat;
  #library;
  #heard;
  #feed;
  #look;
  /** Turns that began elsewhere while this page read an answer. @type {Set<string>} */
  #unseen = new Set();
  #isOn = false;

  /**
   * @param {{session: import("./session.js").Session, clock: Clock, chat: import("./chat.js").Chat,
   *          library: import("./library.js").Library, heard: (type: string) => void}} means `heard`: in this chat
   */
  constructor({ session, clock, chat, library, heard }) {
    this.#heard = heard;
    this.#chat = chat;
    this.#library = library;
    this.#look = new Throttle(clock, LOOK_AGAIN, () => void this.#catchUp());
    this.#feed = new Later("shared-feed", ({ sharedFeed }) =>
      sharedFeed({ session, clock, tabs, tell: (line) => this.#hear(line) }),
    );
    addEventListener("online", () => this.#wake());
    addEventListener("pageshow", ({ persisted }) => this.#wake(persisted));
    addEventListener("pagehide", () => this.#follow(false));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#hide() : this.#show()));
  }

  /** Starts reading the feed after this line. @param {string} [place] */
  start(place = "") {
    if (this.#isOn) return;
    this.#isOn = true;
    if (place)
      this.#feed.use((feed) => {
        feed.place = `feed:${place}`;
      });
    this.#follow(!document.hidden);
  }

  /** @param {boolean} isLookedAt */
  #follow(isLookedAt) {
    if (this.#isOn) this.#feed.use((feed) => (isLookedAt ? feed.show() : feed.hide()));
  }

  /** Called when the answer here has ended: shows turns that began elsewhere meanwhile. */
  ended() {
    const isBehind = [...this.#unseen].some((stream) => !this.#shows(stream));
    this.#unseen.clear();
    if (isBehind) void this.#catchUp();
  }

  /** @param {boolean} [frozen] whether the page stood still, as in the browser's cache of pages to go back to */
  #wake(frozen) {
    if (this.#chat.busy) this.#chat.wake(frozen);
    else this.#look.request();
    this.#follow(!document.hidden);
  }

  #show() {
    this.#wake();
    this.#library.wake();
  }

  #hide() {
    this.#chat.hide();
    this.#follow(false);
  }

  #catchUp() {
    return this.#chat.catchUp().catch(() => {}); // the next look mends it
  }

  /** @param {string} stream */
  #shows(stream) {
    return this.#chat.transcript.messages.some((message) => message.stream === stream);
  }

  /** @param {FeedLine} line */
  #hear(line) {
    this.#library.hear(line);
    if (line.type === "generating" && line.missed) this.#show();
    if (line.conversation !== this.#chat.conversation) return;
    if (line.type === "started") this.#began(line.stream ?? "");
    this.#heard(line.type);
  }

  /** Handles a turn of the shown conversation. @param {string} stream */
  #began(stream) {
    if (this.#shows(stream) || document.hidden) return;
    if (this.#chat.busy) this.#unseen.add(stream);
    else void this.#catchUp();
  }
}
