/**
 * The conversation in progress: one turn at a time, from the composer's text to the answer's end.
 */
import { Connection } from "./connection.js";
import { Draft } from "./draft.js";
import { noticeOf } from "./events.js";
import { branch, rendered } from "./stored.js";
import { apply, isOpen } from "./transcript.js";
import { uuid } from "./uuid.js";

/** A page that comes back looks for what it missed at most this often, in ms: one return is several events. */
const LOOK_AGAIN = 1000;

export class Chat {
  /** @type {Transcript} */
  transcript = [];
  conversation = "";
  #session;
  #clock;
  #storage;
  #told;
  /** @type {Connection | null} */
  #connection = null;
  #looked = Number.NEGATIVE_INFINITY;

  /**
   * @param {{session: import("./session.js").Session, clock: Clock, storage: Storage,
   *          told: {changed: () => void, began: () => void, opened: (id: string, title: string) => void,
   *                 noticed: (sentence: string) => void, ended: (end: End) => void}}} means
   */
  constructor({ session, clock, storage, told }) {
    this.#session = session;
    this.#clock = clock;
    this.#storage = storage;
    this.#told = told;
  }

  get draft() {
    return new Draft(this.#storage, this.conversation);
  }

  get busy() {
    return this.#connection !== null;
  }

  /** Starts from what the server has rendered; a running answer is followed. @param {HTMLElement} list */
  open(list) {
    this.transcript = [...list.querySelectorAll("article")].map(rendered);
    const last = this.transcript.at(-1);
    if (last?.role === "model" && isOpen(last)) {
      void this.#connect(last.key, (connection) => connection.follow(last.stream, last.seq));
    }
  }

  /** Sends a message. @param {{text: string, photos: Photo[], model: string}} said */
  async send({ text, photos, model }) {
    const drafted = this.draft.read();
    const key = (drafted.text === text && drafted.requestId) || uuid();
    const draft = this.draft;
    draft.keep(text, key);
    this.#apply({ type: "asked", key, text, photos, model });
    const parts = [...photos.map(({ attachment }) => ({ attachment })), ...(text ? [{ text }] : [])];
    await this.#ask(key, { contents: parts, model }, text, () => {
      if (draft.read().requestId === key) draft.keep("");
    });
  }

  /** Answers the question of this answer once more. @param {string} key the answer's @param {string} model */
  async again(key, model) {
    const at = this.transcript.findIndex((found) => found.key === key);
    const answer = this.transcript[at];
    const question = this.transcript[at - 1];
    if (this.busy || !question) return;
    const requestId = uuid();
    if (!answer.stream) return this.#sendOnce(key, requestId, question, model);
    const parent = question.id || (await this.#idOf(answer.stream));
    this.#apply({ type: "known", key: question.key, id: parent });
    this.#apply({ type: "asked again", key: requestId, question: question.key, model });
    await this.#ask(requestId, { parent_id: parent, model }, "", () => {});
  }

  async stop() {
    await this.#connection?.stop();
  }

  /** @param {boolean} [frozen] whether the page stood still, as in the browser's cache of pages to go back to */
  wake(frozen) {
    if (this.#connection) this.#connection.wake(frozen);
    else void this.#lookAgain().catch(() => {}); // it looks again at the next occasion
  }

  /** Shows what was asked meanwhile in another tab or on another device; its newest answer is followed. */
  async #lookAgain() {
    const isUnsent = this.transcript.some(({ role, stream }) => role === "model" && !stream);
    if (!this.conversation || isUnsent || this.#clock.now() < this.#looked + LOOK_AGAIN) return;
    this.#looked = this.#clock.now();
    const { messages } = await this.#session.json("GET", `/v2/conversations/${this.conversation}`);
    const stored = branch(messages);
    const last = stored.at(-1);
    if (this.busy || !last?.stream || this.transcript.some(({ stream }) => stream === last.stream)) return;
    this.#apply({
      type: "stored",
      messages: [...stored.slice(0, -1), { ...last, text: "", seq: -1, status: "running" }],
    });
    await this.#connect(last.key, (connection) => connection.follow(last.stream, -1));
  }

  /** A question that never reached the server goes out under the key it had, in case it did reach it.
   * @param {string} key @param {string} again @param {Message} question @param {string} model */
  async #sendOnce(key, again, { text, photos, key: asked }, model) {
    this.transcript = this.transcript.filter((found) => found.key !== key && found.key !== asked);
    if (this.transcript.some((found) => found.key === again)) return;
    this.draft.keep(text, key);
    await this.send({ text, photos, model });
  }

  /**
   * @param {string} key
   * @param {object} body
   * @param {string} text
   * @param {() => void} stored
   */
  async #ask(key, body, text, stored) {
    const conversation = this.conversation ? { conversation_id: this.conversation } : {};
    const full = clean({ ...body, ...conversation, request_id: key, language: navigator.language });
    await this.#connect(
      key,
      (connection) => connection.ask(full),
      (id) => {
        stored();
        if (this.conversation || !id) return;
        this.conversation = id;
        this.#told.opened(id, text.trim().replace(/\s+/g, " ").slice(0, 80) || "Photo");
      },
    );
  }

  /**
   * @param {string} key
   * @param {(connection: Connection) => Promise<void>} start
   * @param {(conversation: string) => void} [accepted]
   */
  async #connect(key, start, accepted = () => {}) {
    const tell = {
      /** @type {(stream: string, conversation: string) => void} */
      accepted: (stream, conversation) => {
        this.#apply({ type: "accepted", key, stream });
        accepted(conversation);
      },
      /** @type {(seq: number, response: GeminiResponse) => void} */
      received: (seq, response) => {
        this.#apply({ type: "received", key, seq, response });
        const notice = noticeOf(response);
        if (notice) this.#told.noticed(notice);
      },
      /** @type {(line: string) => void} */
      line: (line) => this.#apply({ type: "line", key, line }),
      /** @type {(end: End, error: Failure | null) => void} */
      ended: (end, error) => {
        this.#connection = null;
        this.#apply({ type: "ended", key, end, error });
        this.#told.ended(end);
      },
    };
    this.#connection = new Connection({ session: this.#session, clock: this.#clock, tell });
    this.#told.began();
    await start(this.#connection);
  }

  /** The id of the question that a stream answers. @param {string} stream @returns {Promise<string>} */
  async #idOf(stream) {
    const { messages } = await this.#session.json("GET", `/v2/conversations/${this.conversation}`);
    return messages.find((/** @type {any} */ found) => found.stream?.id === stream)?.parent_id ?? "";
  }

  /** @param {Action} action */
  #apply(action) {
    this.transcript = apply(this.transcript, action);
    this.#told.changed();
  }
}

/** Without the fields that say nothing. @template {object} T @param {T} body @returns {T} */
function clean(body) {
  return /** @type {T} */ (Object.fromEntries(Object.entries(body).filter(([, value]) => value !== "")));
}
