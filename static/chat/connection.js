/**
 * One turn's line to the server: sends the message once, reads the answer, and finds back to it by cursor.
 *
 * Its states and legal transitions are the table in states.js, drawn in docs/client.md. A body that ends without the stream's
 * last event is a cut line, never an end. A lost POST is sent again with its `request_id`, which joins the first one's.
 */

import { CursorReader } from "./cursor_reader.js";
import { Lost, Refused, refusal } from "./errors.js";
import { BROKEN, CUT, HELD, later, UNSAID, UNSENT } from "./messages.js";
import { backoff, queryOf, transition } from "./states.js";
import { FIRST_BYTE, POLL, SILENCE, STALE, Watchdog } from "./watchdog.js";

const SEND_TRIES = 6;

export class Connection {
  /** @type {State} */
  state = "idle";
  stream = "";
  #session;
  #clock;
  #random;
  #tell;
  #watchdog;
  #reader;
  #body = "";
  #tries = 0;
  #pause = 0;
  #notBefore = 0;
  #held = false;
  #stopping = false;
  #attempt = new AbortController();

  /**
   * @param {{session: {request: (path: string, options?: RequestInit) => Promise<Response>}, clock: Clock,
   *          tell: Listener, random?: () => number}} means
   */
  constructor({ session, clock, tell, random = Math.random }) {
    this.#session = session;
    this.#clock = clock;
    this.#random = random;
    this.#tell = tell;
    this.#watchdog = new Watchdog(clock);
    this.#reader = new CursorReader((seq, response) => {
      this.#tries = 0;
      tell.received(seq, response);
      if (this.#held) tell.line(HELD);
    });
  }

  /** Sends a message; resolves when its answer has ended. @param {{request_id: string}} body */
  ask(body) {
    this.#body = JSON.stringify(body);
    this.#transition("sending");
    return this.#run();
  }

  /** Follows a stream from after event `seq`. Resolves when it has ended. @param {string} stream @param {number} seq */
  follow(stream, seq) {
    this.stream = stream;
    this.#reader.seq = seq;
    this.#transition("streaming");
    return this.#run();
  }

  /** Asks the server to stop; the stream's own last event then ends it. Before anything was sent it ends at once. */
  async stop() {
    if (this.state === "ended") return;
    this.#stopping = true;
    if (this.stream) await this.#sendStop();
    else if (this.state === "waiting") this.#finish("stopped", null);
  }

  /** The page is back, or online again: tries now rather than later. @param {boolean} [frozen] it stood still */
  wake(frozen = false) {
    if (this.state === "waiting" && this.#clock.now() >= this.#notBefore) this.#watchdog.wake();
    const isAsking = this.state === "streaming" || this.state === "sending";
    if (isAsking && (frozen || this.#watchdog.silence > STALE)) this.#giveUp();
  }

  async #run() {
    while (this.state !== "ended") {
      try {
        await this.#try();
      } catch (problem) {
        this.#stumble(problem);
      }
      if (this.state === "waiting") await this.#watchdog.pause(this.#pause);
      if (this.state === "polling") await this.#watchdog.pause(POLL);
    }
  }

  async #try() {
    if (this.state === "waiting") this.#transition(this.stream ? (this.#held ? "polling" : "streaming") : "sending");
    this.#attempt = new AbortController();
    if (this.state === "sending" && !this.#held) this.#watchForHolding();
    else this.#watch();
    try {
      const response = await this.#request();
      if (response.status === 204) this.#finish(this.#reader.end ?? "interrupted", this.#reader.error ?? UNSAID);
      else if (!response.ok) throw await refusal(response);
      else await this.#read(response);
    } finally {
      this.#watchdog.stop();
      this.#attempt.abort();
    }
  }

  #request() {
    const { signal } = this.#attempt;
    const query = queryOf(this.#held, this.#reader.seq);
    if (this.stream) return this.#session.request(`/v2/streams/${this.stream}${query}`, { signal });
    const headers = { "Content-Type": "application/json" };
    return this.#session.request(`/v2/echat${query}`, { method: "POST", headers, body: this.#body, signal });
  }

  /** @param {Response} response */
  async #read(response) {
    if (this.state === "sending") {
      this.stream = response.headers.get("X-Stream-Id") ?? "";
      this.#transition(this.#held ? "polling" : "streaming");
      this.#tell.accepted(this.stream, response.headers.get("X-Conversation-Id") ?? "");
    }
    if (this.#stopping) void this.#sendStop();
    if (this.state === "streaming") this.#watchForHolding();
    const body = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body);
    await this.#reader.read(body, () => this.#watch());
    const { isOver, end, error } = this.#reader;
    if (isOver) this.#finish(end ?? "failed", end ? error : UNSAID);
    else if (this.state !== "polling") throw new Lost("The line was cut.");
  }

  /** What a failed try means: the end, polling, or a pause. @param {unknown} problem */
  #stumble(problem) {
    this.#tries += 1;
    if (problem instanceof Refused) {
      const isFinal = problem.isFinal || (!this.stream && this.#tries > SEND_TRIES);
      if (isFinal) this.#finish("failed", problem.failure);
      else this.#wait(problem.failure);
    } else if (!(problem instanceof Lost)) {
      this.#finish("failed", BROKEN);
      throw problem;
    } else if (this.#reader.end) {
      this.#finish(this.#reader.end, this.#reader.error);
    } else if (problem.held && this.stream) {
      this.#held = true;
      this.#transition("polling");
      this.#tell.line(HELD);
    } else {
      this.#held ||= problem.held;
      this.#wait(null, problem.held ? HELD : UNSENT);
    }
  }

  /** @param {Failure | null} failure @param {string} [unsent] what is said while there is no stream yet */
  #wait(failure, unsent = UNSENT) {
    const asked = (failure?.retryAfter ?? 0) * 1000;
    this.#notBefore = this.#clock.now() + asked;
    this.#pause = asked + backoff(this.#tries, this.#random);
    this.#transition("waiting");
    if (this.#stopping && !this.stream) return this.#finish("stopped", null);
    return this.#tell.line(failure ? later(failure) : this.stream ? CUT : unsent);
  }

  async #sendStop() {
    try {
      const response = await this.#session.request(`/v2/streams/${this.stream}/stop`, { method: "POST" });
      if (!response.ok) throw await refusal(response);
    } catch (problem) {
      // Lost: said again as soon as the stream is found back. Refused: the reader should know.
      if (problem instanceof Refused) this.#tell.line(problem.message);
    }
  }

  /** @param {End} end @param {Failure | null} error */
  #finish(end, error) {
    this.#transition("ended");
    this.#watchdog.wake();
    this.#tell.ended(end, error);
  }

  /** @param {State} to */
  #transition(to) {
    this.state = transition(this.state, to);
  }

  #watch() {
    this.#watchdog.watch(SILENCE, () => this.#giveUp());
  }

  /** Nothing has come yet: should it stay so, something on the way holds the stream back. */
  #watchForHolding() {
    this.#watchdog.watch(FIRST_BYTE, () => this.#giveUp(true));
  }

  #giveUp(held = false) {
    this.#attempt.abort(new Lost("The line is silent.", { held }));
  }
}
