/**
 * The queued messages, above the composer. The server stores them, so all tabs show the same; a line of the feed
 * refreshes them. A message can be edited, removed, or sent now instead of the running answer.
 */
import { QueuedRow } from "./queued_row.js";
import { contentsOf } from "./turn.js";
import { uuid } from "./uuid.js";
import { t, translated } from "./words.js";

const FIRST = t("Your first message is still on its way: send this one in a moment.");
const SENT = t("That message was sent already. Your change is in the message box.");
/** Why a queue is on hold. @type {Record<string, string>} */
const HELD = {
  stopped: t("The answer was stopped, so nothing more is sent by itself."),
  failed: t("The answer failed, so nothing more is sent by itself."),
  interrupted: t("The answer was interrupted, so nothing more is sent by itself."),
};
const WAITS = t("Nothing more is sent by itself.");
const NEXT = t("Sent next");
const ON_HOLD = t("On hold");
const STOPS = t("Stops the answer that runs");

export class MessageQueue {
  #place;
  #list;
  #means;
  #asked = 0;
  #adding = Promise.resolve();
  /** In their order. @type {QueuedRow[]} */
  #rows = [];
  /** The actions of a message's buttons. @type {Record<string, (row: QueuedRow) => unknown>} */
  #verbs = {
    edit: (row) => row.edit(),
    cancel: (row) => row.close(),
    remove: (row) => this.#remove(row),
    now: (row) => this.#sendNow(row),
  };

  /**
   * @param {HTMLElement} place
   * @param {{session: import("./session.js").Session,
   *          chat: import("./chat.js").Chat, composer: import("./composer.js").Composer,
   *          photos: import("./photos_loader.js").PhotosLoader, camera: import("./camera/loader.js").CameraLoader,
   *          said: (sentence: string) => void, problem: (sentence: string) => void}} means
   */
  constructor(place, means) {
    this.#place = place;
    this.#list = /** @type {HTMLElement} */ (place.querySelector("ol"));
    this.#means = means;
    place.addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-queue]"));
      if (button) this.#do(button, this.#verbs[button.dataset.queue ?? ""]);
    });
    place.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(/** @type {HTMLElement} */ (event.target), (row) => this.#save(row));
    });
  }

  /** Queues the typed message after the running answer; the order of sending is kept.
   * @param {string} text */
  add(text) {
    const { chat, composer, photos, problem } = this.#means;
    if (composer.editing || (!text.trim() && !photos.count)) return undefined;
    if (!chat.conversation) return problem(FIRST);
    problem("");
    const { conversation, draft } = chat;
    const drafted = draft.read();
    const key = (drafted.text === text && drafted.requestId) || uuid();
    if (composer.text === text) composer.fill(""); // what was typed meanwhile stays
    this.#adding = this.#adding.then(() => this.#try(() => this.#post(conversation, text, key, draft)));
    return this.#adding;
  }

  /** @param {string} conversation @param {string} text @param {string} key @param {import("./draft.js").Draft} draft */
  async #post(conversation, text, key, draft) {
    const { chat, composer, photos, camera, said } = this.#means;
    if (camera.sees && !photos.count) await photos.add(await camera.frames(), { unsent: true });
    const taken = await photos.take();
    const isShown = () => conversation === chat.conversation;
    if (!isShown() || !composer.text) draft.keep(text, key); // sent again, after a lost line, it is the same message
    const body = { contents: contentsOf(text, taken), model: composer.model || undefined, request_id: key };
    try {
      await this.#call("POST", "", { ...body, language: navigator.language }, conversation);
    } catch (error) {
      const typed = isShown() ? composer.text : "";
      const whole = typed ? `${text}\n\n${typed}` : text;
      draft.keep(whole, typed ? "" : key);
      if (isShown()) composer.fill(whole);
      if (isShown()) for (const photo of taken) (await photos.get()).reuse(photo, t("Photo"));
      throw error;
    }
    draft.stored(key, taken);
    said(t("Queued: it is sent after this answer."));
    await this.show();
  }

  /** Shows the queue of the shown chat. */
  async show() {
    this.#asked += 1;
    const asked = this.#asked;
    const { conversation } = this.#means.chat;
    const { messages, held } = conversation ? await this.#call("GET") : { messages: [], held: null };
    if (asked !== this.#asked) return;
    const why = held ? translated(held.message) || HELD[held.because] || WAITS : "";
    const line = /** @type {HTMLElement} */ (this.#place.querySelector("[data-part=held]"));
    this.#place.hidden = !messages.length;
    if (line.textContent !== why) line.textContent = why;
    /** @type {HTMLElement} */ (this.#place.querySelector("h2")).textContent = held ? ON_HOLD : NEXT;
    this.#render(messages);
    for (const now of this.#list.querySelectorAll("[data-queue=now]")) now.setAttribute("title", held ? "" : STOPS);
  }

  /** Keeps the elements of unchanged rows, so that focus and edits are not lost.
   * @param {import("./queued_row.js").Queued[]} messages */
  #render(messages) {
    const { session } = this.#means;
    const template = /** @type {HTMLTemplateElement} */ (this.#place.querySelector("template"));
    const before = this.#rows;
    const hadFocus = this.#place.contains(document.activeElement);
    this.#rows = messages.map((message) => {
      const row = before.find(({ id }) => id === message.id) ?? new QueuedRow(template, message, session);
      row.show(message);
      return row;
    });
    for (const row of before) if (!this.#rows.includes(row)) this.#leave(row);
    for (const [at, { element }] of this.#rows.entries()) {
      const there = this.#list.children[at];
      if (there !== element) this.#list.insertBefore(element, there ?? null);
    }
    if (hadFocus && !this.#place.contains(document.activeElement)) this.#means.composer.refocus();
  }

  /** Removes a message; an unsaved edit of it goes into the composer. @param {QueuedRow} row */
  #leave(row) {
    const { composer, chat, problem } = this.#means;
    const { unsaved } = row;
    row.leave();
    if (!unsaved || composer.text) return;
    composer.fill(unsaved);
    chat.draft.type(unsaved);
    problem(SENT);
  }

  /** @param {QueuedRow} row */
  async #save(row) {
    if (!row.change) return;
    await this.#call("PATCH", `/${row.id}`, row.change);
    row.close();
    await this.show();
  }

  /** @param {QueuedRow} row */
  async #remove(row) {
    row.close();
    await this.#call("DELETE", `/${row.id}`);
    const at = this.#rows.indexOf(row);
    (this.#rows[at + 1] ?? this.#rows[at - 1])?.focus("remove");
    this.#means.said(t("Removed: it is not sent."));
    await this.show();
  }

  /** Stops the running answer, and sends this message. @param {QueuedRow} row */
  async #sendNow(row) {
    row.close();
    await this.#call("POST", `/${row.id}/now`);
    await this.show();
    await this.#means.chat.catchUp();
  }

  /** @param {HTMLElement} control @param {(row: QueuedRow) => unknown} verb */
  #do(control, verb) {
    const row = this.#rows.find(({ element }) => element.contains(control));
    if (!row) return;
    this.#means.problem("");
    void this.#try(() => verb(row));
  }

  /** Runs a job, shows its error, and refreshes the queue. @param {() => unknown} job */
  async #try(job) {
    try {
      await job();
    } catch (error) {
      this.#means.problem(/** @type {Error} */ (error).message);
      await this.show().catch(() => {}); // what was said of the failure stays
    }
  }

  /** @param {string} method @param {string} [path] @param {object} [body] @param {string} [conversation] */
  #call(method, path = "", body = undefined, conversation = this.#means.chat.conversation) {
    return this.#means.session.json(method, `/v2/conversations/${conversation}/queue${path}`, body);
  }
}
