/**
 * One feed for all tabs of a browser: the tab that holds a lock reads it and passes it on to the others.
 *
 * A hidden tab reads nothing, so its lock passes to one that is looked at. What all of them missed meanwhile comes to
 * whoever reads next, by the place of the last thing that was told. Where a page has no locks (plain HTTP from another
 * machine), each tab that is looked at reads for itself.
 */
const NAME = "wondercam-feed";

export class SharedFeed {
  #feed;
  #locks;
  #channel;
  #tell;
  /** @type {AbortController | null} */
  #reading = null;

  /**
   * @param {{locks: Pick<LockManager, "request"> | undefined,
   *          channel: Pick<BroadcastChannel, "postMessage" | "addEventListener"> | undefined,
   *          feed: (tell: (place: string, line: FeedLine) => void) => FeedReader,
   *          tell: (line: FeedLine) => void}} means
   */
  constructor({ locks, channel, feed, tell }) {
    this.#locks = locks;
    this.#channel = channel;
    this.#tell = tell;
    this.#feed = feed((place, line) => this.#read(place, line));
    channel?.addEventListener("message", ({ data }) => this.#hear(data.place, data.line));
  }

  /** From which place on this tab wants to be told. @param {string} place */
  set place(place) {
    this.#feed.place = place;
  }

  /** This tab is looked at: it reads, or hears the one that does. */
  show() {
    if (this.#reading) return;
    const reading = new AbortController();
    this.#reading = reading;
    const run = () => this.#feed.run(reading.signal);
    const done = this.#locks ? this.#locks.request(NAME, { signal: reading.signal }, run) : run();
    void Promise.resolve(done).catch(() => {}); // it was hidden before its turn came
  }

  /** Nobody looks at this tab. */
  hide() {
    this.#reading?.abort();
    this.#reading = null;
  }

  /** @param {string} place @param {FeedLine} line */
  #read(place, line) {
    this.#channel?.postMessage({ place, line });
    this.#tell(line);
  }

  /** What another tab reads; what was told before is not told again. @param {string} place @param {FeedLine} line */
  #hear(place, line) {
    if (numberOf(place) <= numberOf(this.#feed.place)) return;
    this.#feed.place = place;
    this.#tell(line);
  }
}

/** @param {string} place `feed:<number>` */
const numberOf = (place) => (place ? Number(place.slice(place.indexOf(":") + 1)) : -1);
