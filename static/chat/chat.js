/**
 * The conversation in progress: one turn at a time, from the composer's text to the answer's end.
 */
import { Draft } from "./draft.js";
import { isOpen } from "./message.js";
import { apply, EMPTY } from "./transcript.js";
import { newestBelow, path } from "./tree.js";
import { bodyOf, connectionOf, contentsOf, titleOf } from "./turn.js";
import { uuid } from "./uuid.js";

export class Chat {
  /** @type {Transcript} */
  transcript = EMPTY;
  conversation = "";
  #session;
  #clock;
  #storage;
  #instruction;
  #told;
  /** @type {import("./connection.js").Connection | null} */
  #connection = null;

  /**
   * @param {{session: import("./session.js").Session, clock: Clock, storage: Storage,
   *          instruction: () => string, told: {changed: () => void, began: () => void, opened: (id: string, title: string) => void,
   *                 noticed: (sentence: string) => void, ended: (end: End) => void}}} means
   */
  constructor({ session, clock, storage, instruction, told }) {
    this.#instruction = instruction;
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

  /** The shown messages, oldest first. */
  get path() {
    return path(this.transcript);
  }

  /** @param {string} key @returns {Message | undefined} */
  find(key) {
    return this.transcript.messages.find((found) => found.key === key);
  }

  /** Shows a stored conversation, and follows its running answer.
   * @param {string} conversation @param {Stored[]} messages */
  open(conversation, messages) {
    this.#connection?.leave();
    this.#connection = null;
    this.conversation = conversation;
    this.transcript = apply(EMPTY, { type: "stored", messages, at: this.#clock.now() });
    this.#told.changed();
    this.#followLeaf();
  }

  /** Sends a message after the shown ones. @param {{text: string, photos: Photo[], model: string}} said */
  send(said) {
    return this.#send(
      this.path.findLast(({ role, id }) => role === "model" && id),
      said,
    );
  }

  /** Sends another version of a question, with more photos. @param {string} key
   * @param {{text: string, photos: Photo[], model: string}} said */
  edit(key, { text, photos, model }) {
    const question = this.find(key);
    if (this.busy || !question) return undefined;
    return this.#send(this.find(question.parent), { text, photos: [...question.photos, ...photos], model });
  }

  /** Regenerates an answer. @param {string} key the answer's @param {string} model */
  async again(key, model) {
    const answer = this.find(key);
    const question = this.find(answer?.parent ?? "");
    if (this.busy || !answer || !question) return;
    const requestId = uuid();
    if (!question.id) return this.#sendOnce(key, requestId, question, model);
    if (!answer.stream) this.#apply({ type: "withdrawn", keys: [key] });
    this.#apply({ type: "asked again", key: requestId, question: question.key, model, at: this.#clock.now() });
    await this.#ask(requestId, { parent_id: question.id, model });
  }

  /** Shows this version of a message, with the messages after it. @param {string} key */
  show(key) {
    this.#apply({ type: "shown", leaf: newestBelow(this.transcript, key) });
    if (!this.busy) this.#followLeaf();
  }

  /** Stores facts about a message.
   * @type {(key: string, facts: Facts) => void} */
  note = (key, facts) => this.#apply({ type: "noted", key, facts });

  stop = () => this.#connection?.stop();

  /** @param {boolean} [frozen] whether the page was frozen, as in the back/forward cache */
  wake(frozen) {
    this.#connection?.wake(frozen);
  }

  /** Called when the page is hidden: it needs no connection of its own. */
  hide() {
    this.#connection?.hide();
  }

  #followLeaf() {
    const last = this.find(this.transcript.leaf);
    if (last?.role !== "model" || !isOpen(last) || !last.stream) return;
    void this.#connect(last.key, (connection) => connection.follow(last.stream, last.seq));
  }

  /** Shows turns of other tabs and devices, and follows the newest answer. */
  async catchUp() {
    const isUnsent = this.path.some(({ role, stream }) => role === "model" && !stream);
    if (!this.conversation || this.busy || isUnsent) return;
    const conversation = this.conversation;
    const { messages } = await this.#session.json("GET", `/v2/conversations/${conversation}`);
    if (this.busy || conversation !== this.conversation) return;
    this.#apply({ type: "stored", messages, at: this.#clock.now() });
    this.#followLeaf();
  }

  /** @param {Message | undefined} parent @param {{text: string, photos: Photo[], model: string}} said */
  async #send(parent, { text, photos, model }) {
    const draft = this.draft;
    const drafted = draft.read();
    const isSpoken = photos.some(({ mimeType }) => mimeType); // it is no draft's, and no other one's words
    const key = (!isSpoken && drafted.text === text && drafted.requestId) || uuid();
    if (!isSpoken) draft.keep(text, key);
    this.#apply({ type: "asked", key, parent: parent?.key ?? "", text, photos, model, at: this.#clock.now() });
    const place = this.conversation ? { parent_id: parent?.id ?? null } : { systemInstruction: this.#instruction() };
    const asked = { contents: contentsOf(text, photos), model, ...place };
    await this.#ask(key, asked, titleOf(text, photos), () => draft.stored(key, photos));
  }

  /** Sends a failed question again under the same key, in case it did reach the server.
   * @param {string} key @param {string} again @param {Message} question @param {string} model */
  async #sendOnce(key, again, { text, photos, key: asked, parent }, model) {
    this.#apply({ type: "withdrawn", keys: [key, asked] });
    if (this.find(again)) return;
    this.draft.keep(text, key);
    await this.#send(this.find(parent), { text, photos, model });
  }

  /** @param {string} key @param {object} asked @param {string} [title] @param {() => void} [stored] */
  async #ask(key, asked, title = "", stored = () => {}) {
    const body = bodyOf(key, this.conversation, asked);
    await this.#connect(
      key,
      (connection) => connection.ask(body),
      (id) => {
        stored();
        if (this.conversation || !id) return;
        this.conversation = id;
        this.#told.opened(id, title);
      },
    );
  }

  /**
   * @param {string} key
   * @param {(connection: import("./connection.js").Connection) => Promise<void>} start
   * @param {(conversation: string) => void} [accepted]
   */
  async #connect(key, start, accepted = () => {}) {
    const means = { session: this.#session, clock: this.#clock };
    this.#connection = connectionOf(key, means, {
      apply: (action) => this.#apply(action),
      now: () => this.#clock.now(),
      accepted,
      noticed: this.#told.noticed,
      ended: (end) => {
        this.#connection = null;
        this.#told.ended(end);
      },
    });
    this.#told.began();
    if (document.hidden) this.#connection.hide();
    await start(this.#connection);
  }

  /** @param {Action} action */
  #apply(action) {
    this.transcript = apply(this.transcript, action);
    this.#told.changed();
  }
}
