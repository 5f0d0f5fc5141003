/**
 * One turn's connection: sends the message once, reads the answer, and resumes it by cursor.
 *
 * Its states and transitions are the table in states.js, drawn in docs/client.md. A body that ends without the stream's
 * last event was cut, and is resumed. A lost POST is sent again with its `request_id`, which joins the first one.
 */
import { AnswerLine } from "./answer_line.js";
import { CursorReader } from "./cursor_reader.js";
import { Lost, Refused, refusal } from "./errors.js";
import { BROKEN, CUT, HELD, UNSAID, UNSENT } from "./messages.js";
import { Retry } from "./retry.js";
import { queryOf, transition } from "./states.js";
import { StopRequest } from "./stop_request.js";
import { namesOf, StreamApi } from "./stream_api.js";
import { FIRST_BYTE, SILENCE, STALE, Watchdog } from "./watchdog.js";

const SEND_TRIES = 6;
/** @type {Listener} */
const NOBODY = { accepted() {}, received() {}, line() {}, ended() {} };

export class Connection {
  /** @type {State} */
  state = "idle";
  stream = "";
  #api;
  #tell;
  #watchdog;
  #retry;
  #stop;
  #reader;
  #line;
  #body = "";
  #attempt = new AbortController();

  /** @param {{session: Requester, clock: Clock, tell: Listener, tabs?: Tabs | null, random?: () => number}} means */
  constructor({ session, clock, tell, tabs = null, random = Math.random }) {
    this.#api = new StreamApi(session);
    this.#tell = tell;
    this.#watchdog = new Watchdog(clock);
    this.#retry = new Retry(clock, this.#watchdog, random);
    const free = () => this.state === "streaming" && this.#giveUp();
    this.#stop = new StopRequest(this.#api, clock, free);
    this.#reader = new CursorReader((seq, response) => {
      this.#retry.tries = 0;
      this.#tell.received(seq, response);
      if (this.#line.isHeldBack) this.#tell.line(HELD);
    });
    this.#line = new AnswerLine(tabs, this.#reader, this.#watchdog);
  }

  /** Sends a message; resolves when the answer has ended. @param {{request_id: string}} body */
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

  /** Requests a stop; the stream's last event then ends it. Before the message was sent it ends at once. Throws Refused. */
  async stop() {
    if (this.state === "ended") return;
    this.#stop.isMade = true;
    if (this.stream) await this.#stop.send(this.stream);
    else if (this.state === "waiting") this.#finish("stopped", null);
  }

  /** Called when the page is hidden: releases its connection to visible tabs, and polls. */
  hide() {
    this.#line.hide();
    if (this.state === "streaming") this.#giveUp();
  }

  /** Stops reading, because the page shows another chat. The answer continues on the server. */
  leave() {
    this.#tell = NOBODY;
    if (this.state !== "ended") this.#finish("interrupted", null);
    this.#giveUp();
  }

  /** Retries at once when the page is visible or online again. @param {boolean} [frozen] it was frozen */
  wake(frozen = false) {
    this.#line.isHidden = false;
    if (this.state === "waiting") this.#retry.wake();
    else if (this.state === "polling" && !this.#line.isHeldBack) this.#watchdog.wake();
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
      if (this.state === "waiting") await this.#retry.wait((line) => this.#tell.line(line));
      if (this.state === "polling") await this.#line.pause();
      if (this.state === "polling" && this.#reader.end) this.#finish(this.#reader.end, this.#reader.error);
    }
  }

  async #try() {
    const polls = await this.#line.take(this.stream);
    if (this.state === "ended") return;
    const next = this.stream ? (polls ? "polling" : "streaming") : "sending";
    if (this.state !== next) this.#transition(next);
    this.#attempt = new AbortController();
    const isNew = this.state === "sending" && !polls;
    this.#watchdog.watch(isNew ? FIRST_BYTE : SILENCE, () => (isNew ? void this.#suspect() : this.#giveUp()));
    try {
      const query = queryOf(polls, this.#reader.seq);
      const response = await this.#api.request(this.stream, this.#body, query, this.#attempt.signal);
      if (this.#attempt.signal.aborted) return;
      if (response.status === 204) this.#finish(this.#reader.end ?? "interrupted", this.#reader.error ?? UNSAID);
      else if (!response.ok) throw await refusal(response);
      else await this.#read(response);
    } finally {
      this.#watchdog.stop();
      this.#attempt.abort();
    }
  }

  /** @param {Response} response */
  async #read(response) {
    if (this.state === "sending") {
      const names = namesOf(response);
      this.stream = names.stream;
      this.#transition(this.#line.isHeldBack ? "polling" : "streaming");
      this.#tell.accepted(names);
      if (this.#line.isHidden && !this.#line.isHeldBack) throw new Lost("Nobody looks at the page.");
      void this.#line.take(this.stream).then((isOff) => isOff && this.state === "streaming" && this.#giveUp());
    }
    if (this.#stop.isMade) this.#stop.send(this.stream).catch(() => {});
    // Headers have arrived: if nothing follows, a proxy buffers the stream.
    if (this.state === "streaming") this.#watchdog.watch(FIRST_BYTE, () => this.#giveUp(true));
    const body = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body);
    const heard = () => this.#watchdog.watch(SILENCE, () => this.#giveUp());
    await this.#reader.read(body, heard, (event) => this.#line.pass(event));
    const { isOver, end, error } = this.#reader;
    if (isOver && this.state !== "ended") this.#finish(end ?? "failed", end ? error : UNSAID);
    else if (this.state === "streaming") throw new Lost("The line was cut.");
  }

  /** Handles a failed attempt: the end, polling, or a pause. @param {unknown} problem */
  #stumble(problem) {
    if (this.state === "ended") return undefined;
    this.#retry.tries += 1;
    if (problem instanceof Refused) {
      const isFinal = problem.isFinal || (!this.stream && this.#retry.tries > SEND_TRIES);
      return isFinal ? this.#finish("failed", problem.failure) : this.#wait(problem.failure);
    }
    if (!(problem instanceof Lost)) {
      this.#finish("failed", BROKEN);
      throw problem;
    }
    if (this.#reader.end) return this.#finish(this.#reader.end, this.#reader.error);
    this.#line.isHeldBack ||= problem.held;
    const polls = this.stream && (problem.held || (this.#line.polls && this.state === "streaming"));
    if (!polls) return this.#wait(null, problem.held ? HELD : UNSENT);
    this.#transition("polling");
    return this.#line.isHeldBack && this.#tell.line(HELD);
  }

  /** @param {Failure | null} failure @param {string} [line] what is said while there is no stream yet */
  #wait(failure, line = UNSENT) {
    this.#retry.plan(failure);
    this.#transition("waiting");
    if (this.#stop.isMade && !this.stream) return this.#finish("stopped", null);
    return failure || this.#tell.line(this.stream ? CUT : line);
  }

  #finish(/** @type {End} */ end, /** @type {Failure | null} */ error) {
    this.#transition("ended");
    this.#watchdog.wake();
    this.#line.leave();
    this.#tell.ended(end, error);
  }

  #transition(/** @type {State} */ to) {
    this.state = transition(this.state, to);
  }

  /** No headers arrived: the stream is buffered if the server answers other requests. */
  async #suspect() {
    const attempt = this.#attempt;
    const held = await this.#api.answers();
    if (attempt !== this.#attempt || this.state !== "sending") return;
    if (held) this.#giveUp(true);
    else this.#watchdog.watch(SILENCE, () => this.#giveUp());
  }

  #giveUp = (held = false) => this.#attempt.abort(new Lost("The line is silent.", { held }));
}
