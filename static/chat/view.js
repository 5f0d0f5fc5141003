/**
 * Renders the transcript: updates the page's articles to the shown path through it.
 *
 * Events may arrive faster than frames: only the newest transcript is painted, once per frame, newest message first,
 * for a few milliseconds. The rest is painted in the next frame, older messages when the browser is idle.
 */
import { Article } from "./article.js";
import { isOpen } from "./message.js";
import { path, versions } from "./tree.js";

/** The time for painting in a frame, in ms; the rest of 16 is for layout and paint. */
const SLICE = 8;

export class View {
  #list;
  #template;
  #clock;
  #means;
  #painted;
  /** @type {Map<string, Article>} */
  #articles = new Map();
  /** @type {Transcript} */
  #next = { messages: [], leaf: "" };
  #scheduled = () => {};
  #isScheduled = false;
  #ticking = false;

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement, clock: Clock, painted: (shown: Message[]) => void,
   *          articles: import("./article.js").Means}} means
   */
  constructor({ list, template, clock, painted, articles }) {
    this.#list = list;
    this.#template = template;
    this.#clock = clock;
    this.#painted = painted;
    this.#means = articles;
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("article")))
      this.#take(element);
  }

  /** Takes over a message that the server has written (chat/views/newest.py). @param {HTMLElement} element */
  #take(element) {
    const { key = "", role = "" } = element.dataset;
    this.#articles.set(key, new Article(element, { key, role }, this.#means));
  }

  /** Shows this transcript in the next frame. @param {Transcript} transcript */
  show(transcript) {
    this.#next = transcript;
    if (!this.#means.answers.isReady && transcript.messages.length) void this.#load();
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#scheduled();
    this.#isScheduled = true;
    const frame = requestAnimationFrame(() => this.#paint());
    this.#scheduled = () => cancelAnimationFrame(frame);
  }

  #paint() {
    this.#isScheduled = false;
    let end = 0; // the time begins with the first message that has something to paint, which so gets its turn
    const isLate = () => {
      end ||= this.#clock.now() + SLICE;
      return this.#clock.now() > end;
    };
    const shown = path(this.#next);
    const places = versions(this.#next);
    this.#remove(new Set(shown.map(({ key }) => key)));
    let next = null;
    let left = 0;
    for (const message of shown.toReversed()) {
      if (!this.#articles.has(message.key) && isLate()) left += 1;
      else {
        const article = this.#articles.get(message.key) ?? this.#make(message);
        const { element } = article;
        if (!element.isConnected || element.nextElementSibling !== next) this.#list.insertBefore(element, next);
        next = element;
        if (!article.show(message, places.get(message.key) ?? [], isLate)) left += 1;
      }
    }
    this.#list.dataset.count = String(shown.length);
    this.#list.toggleAttribute("data-whole", left === 0);
    this.#tick();
    this.#painted(shown);
    if (left && !this.#isScheduled && this.#means.answers.isReady) this.#continue(shown.some(isOpen));
  }

  /** Loads the renderer of answers, and paints them when that succeeded or failed. */
  async #load() {
    await this.#means.answers.load();
    this.#schedule();
  }

  /** Schedules the rest: soon while an answer grows, else when the browser is idle.
   * @param {boolean} soon */
  #continue(soon) {
    if (soon || !("requestIdleCallback" in window)) return this.#schedule();
    const call = requestIdleCallback(() => this.#paint(), { timeout: 200 });
    this.#scheduled = () => cancelIdleCallback(call);
    return undefined;
  }

  /** @param {Set<string>} kept */
  #remove(kept) {
    for (const [key, { element }] of this.#articles) {
      if (kept.has(key)) continue;
      element.remove();
      this.#articles.delete(key);
    }
  }

  /** Called each second while an answer is pending. */
  #tick() {
    const now = this.#clock.now();
    for (const message of this.#next.messages) {
      if (message.role === "model") this.#articles.get(message.key)?.tick(now);
    }
    if (this.#ticking || !this.#next.messages.some(isOpen)) return;
    this.#ticking = true;
    this.#clock.after(1000, () => {
      this.#ticking = false;
      this.#tick();
    });
  }

  /** @param {Message} message */
  #make(message) {
    const copy = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (copy.firstElementChild);
    const article = new Article(element, message, this.#means);
    this.#articles.set(message.key, article);
    return article;
  }
}
