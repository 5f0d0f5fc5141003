/**
 * One turn's receipt: when each event arrived and when it was painted, told to the server once the turn has ended.
 *
 * Times are in ms since the question was sent, on this page's clock. A stream that is followed and was not asked for here
 * has no such beginning, and gets no receipt.
 */

/** Waits this long for the last event's frame, in ms: none comes while nobody looks. */
const LAST_FRAME = 1000;
/** What a browser sends on while its page goes away, in bytes: 64 KiB for all such requests. */
const KEPT_ALIVE = 48_000;
/** Events that the server takes. */
const MOST = 5000;

export class Receipt {
  #session;
  #clock;
  #afterPaint;
  #began;
  #stream = "";
  /** @type {[seq: number, received: number, painted: number | null][]} */
  #events = [];
  #painted = 0;
  #isAwaited = false;
  #busy = 0;
  #stopWatching;

  /**
   * @param {{session: Requester, clock: Clock, afterPaint?: (call: () => void) => void,
   *          longTasks?: (add: (duration: number) => void) => () => void}} means
   */
  constructor({ session, clock, afterPaint = nextPaint, longTasks = watchLongTasks }) {
    this.#session = session;
    this.#clock = clock;
    this.#afterPaint = afterPaint;
    this.#began = clock.now();
    this.#stopWatching = longTasks((duration) => {
      this.#busy += duration;
    });
  }

  /** The listener that tells `tell` all it hears, and notes when. @param {Listener} tell @returns {Listener} */
  listening(tell) {
    return {
      line: (line) => tell.line(line),
      accepted: (names) => {
        this.#stream = names.stream;
        tell.accepted(names);
      },
      received: (seq, response) => {
        const at = this.#now();
        tell.received(seq, response);
        this.#note(seq, at);
      },
      ended: (end, error) => {
        tell.ended(end, error);
        this.#finish();
      },
    };
  }

  /** @param {number} seq @param {number} at */
  #note(seq, at) {
    if (this.#events.length >= MOST) return;
    this.#events.push([seq, at, null]);
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#afterPaint(() => this.#paint());
  }

  #paint() {
    this.#isAwaited = false;
    const at = this.#now();
    for (; this.#painted < this.#events.length; this.#painted += 1) this.#events[this.#painted][2] = at;
  }

  #finish() {
    let isSent = false;
    const send = () => {
      if (isSent) return;
      isSent = true;
      this.#stopWatching();
      void this.#send().catch(() => {}); // nothing depends on it
    };
    if (this.#isAwaited) this.#afterPaint(send);
    this.#clock.after(this.#isAwaited ? LAST_FRAME : 0, send);
  }

  async #send() {
    if (!this.#stream || !this.#events.length) return;
    const said = { events: this.#events, busy_ms: Math.round(this.#busy) };
    const body = JSON.stringify(said);
    const keepalive = body.length < KEPT_ALIVE;
    const headers = { "Content-Type": "application/json" };
    await this.#session.request(`/v2/streams/${this.#stream}/receipt`, { method: "POST", headers, body, keepalive });
  }

  #now() {
    return Math.round((this.#clock.now() - this.#began) * 10) / 10;
  }
}

/** Calls once the next frame has been painted: a task that follows its callbacks. @param {() => void} call */
function nextPaint(call) {
  requestAnimationFrame(() => setTimeout(call));
}

/** Tells how long the page did nothing but work of its own, where the browser says so.
 * @param {(duration: number) => void} add */
function watchLongTasks(add) {
  if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes("longtask")) return () => {};
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) add(duration);
  });
  observer.observe({ type: "longtask" });
  return () => observer.disconnect();
}
