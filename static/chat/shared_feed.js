/**
 * One feed for all tabs of a browser: the tab that holds a lock reads it and passes it on to the others.
 *
 * A hidden tab releases the lock to a visible one. The next reader continues after the last line, so no line is missed.
 * A tab that opens while another one reads fetches earlier lines once. Without locks (plain HTTP from another machine)
 * each visible tab reads for itself.
 */
import { ConversationFeed } from "./conversation_feed.js";

const NAME = "wondercam-feed";

export class SharedFeed {
  #feed;
  #locks;
  #channel;
  #tell;
  /** @type {AbortController | null} */
  #reading = null;
  /** Lines that arrive while this tab fetches earlier ones. @type {{place: string, line: FeedLine}[] | null} */
  #later = null;

  /**
   * @param {{tabs: Tabs | null, feed: (tell: (place: string, line: FeedLine) => void) => FeedReader,
   *          tell: (line: FeedLine) => void}} means
   */
  constructor({ tabs, feed, tell }) {
    this.#locks = tabs?.locks;
    this.#channel = tabs?.channel(NAME);
    this.#tell = tell;
    this.#feed = feed((place, line) => this.#read(place, line));
    this.#channel?.addEventListener("message", ({ data }) => (this.#later ? this.#later.push(data) : this.#hear(data)));
  }

  /** Sets the id of the line after which this tab reads. @param {string} place */
  set place(place) {
    this.#feed.place = place;
  }

  /** Called when this tab is visible: it reads, or listens to the tab that does. */
  show() {
    if (this.#reading) return;
    const reading = new AbortController();
    this.#reading = reading;
    const run = () => this.#feed.run(reading.signal);
    const done = this.#locks ? this.#share(this.#locks, reading.signal, run) : run();
    void Promise.resolve(done).catch(() => {}); // it was hidden before its turn came
  }

  /** Called when this tab is hidden. */
  hide() {
    this.#reading?.abort();
    this.#reading = null;
  }

  /** @param {Pick<LockManager, "request">} locks @param {AbortSignal} signal @param {() => Promise<void>} run */
  async #share(locks, signal, run) {
    const isFree = await locks.request(NAME, { ifAvailable: true }, async (lock) => lock && run().then(() => true));
    if (isFree) return;
    await this.#look(signal);
    await locks.request(NAME, { signal }, run);
  }

  /** Fetches lines that another tab has passed on before this one listened. @param {AbortSignal} signal */
  async #look(signal) {
    /** @type {{place: string, line: FeedLine}[]} */
    const later = [];
    this.#later = later;
    await this.#feed.look(signal).catch(() => {}); // whoever reads next goes on from the same place
    this.#later = null;
    for (const heard of later) this.#hear(heard);
  }

  /** @param {string} place @param {FeedLine} line */
  #read(place, line) {
    this.#channel?.postMessage({ place, line });
    this.#tell(line);
  }

  /** Takes a line of another tab, unless it was handled before. @param {{place: string, line: FeedLine}} heard */
  #hear({ place, line }) {
    if (numberOf(place) <= numberOf(this.#feed.place)) return;
    this.#feed.place = place;
    this.#tell(line);
  }
}

/** @param {string} place `feed:<number>` */
const numberOf = (place) => (place ? Number(place.slice(place.indexOf(":") + 1)) : -1);

/** The feed of this browser's reader. @param {{session: Requester, clock: Clock, tabs: Tabs | null,
 * tell: (line: FeedLine) => void}} means */
export function sharedFeed({ session, clock, tabs, tell }) {
  return new SharedFeed({ tabs, tell, feed: (told) => new ConversationFeed({ session, clock, tell: told }) });
}
