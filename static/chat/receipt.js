/**
 * One turn's receipt: when each event arrived and was painted, sent to the server after the turn.
 *
 * Times are in ms since the question was sent, on this page's clock. A stream that is followed and was not asked for here
 * has no such beginning, and gets no receipt.
 */

/** The longest wait for the last event's frame, in ms: a hidden page has none. */
const LAST_FRAME = 1000;
/** The most bytes that a browser sends while its page closes: 64 KiB for all such requests. */
const KEPT_ALIVE = 48_000;
/** The most events that the server accepts. */
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

  /** A listener that forwards to `tell`, and records the times. @param {Listener} tell @returns {Listener} */
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

/** Calls after the next frame is painted: in a task after its callbacks. @param {() => void} call */
function nextPaint(call) {
  requestAnimationFrame(() => setTimeout(call));
}

/** Reports the durations of long tasks, if the browser supports it.
 * @param {(duration: number) => void} add */
function watchLongTasks(add) {
  if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes("longtask")) return () => {};
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) add(duration);
  });
  observer.observe({ type: "longtask" });
  return () => observer.disconnect();
}
