/**
 * The transcript as the reader sees it: keeps the page's articles equal to the transcript's messages.
 *
 * Events may come faster than frames: only the newest transcript is painted, once a frame, and an answer's new text
 * is appended to what stands there, so nothing that was painted is painted again.
 */
import { paintCode } from "./code.js";
import { Markdown } from "./markdown.js";
import { cutShort } from "./messages.js";
import { isOpen } from "./transcript.js";

const THINKING = "Thinking…";
/** @type {Record<string, string>} */
const ENDINGS = {
  stopped: "You stopped this answer.",
  interrupted: "The server went away in the middle of this answer. What it had written is kept.",
  failed: "This answer failed.",
};

/** One message on the page. */
class Article {
  #markdown;
  #written = "";
  #finished = false;

  /**
   * @param {HTMLElement} element from the partial `_message.html`
   * @param {(image: HTMLImageElement, attachment: string) => void} showPhoto
   */
  constructor(element, showPhoto) {
    this.element = element;
    this.showPhoto = showPhoto;
    this.text = this.part("text");
    /** @type {Message | null} */
    this.shown = null;
    if (element.dataset.role === "model") {
      this.text.replaceChildren();
      element.dataset.upgraded = "";
      this.#markdown = new Markdown(this.text, paintCode);
    }
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    return /** @type {HTMLElement} */ (this.element.querySelector(`[data-part=${name}]`));
  }

  /** @param {Message} message */
  show(message) {
    const before = this.shown;
    if (before === message) return;
    this.shown = message;
    const { dataset } = this.element;
    dataset.status = message.status;
    dataset.id = message.id;
    dataset.stream = message.stream;
    dataset.empty = message.text ? "no" : "yes";
    this.element.setAttribute("aria-busy", String(message.role === "model" && isOpen(message)));
    this.#write(message);
    if (message.photos !== before?.photos) this.#photos(message.photos);
    set(this.part("notice"), message.notice || THINKING);
    set(this.part("line"), message.line);
    set(this.part("model"), message.model.replace(/^[^/]*\//, ""));
    set(this.part("mark"), message.role === "user" ? (message.status === "sent" ? "Sent" : "Sending…") : "");
    const said = message.status === "interrupted" ? "" : message.error?.message;
    const short = message.status === "complete" ? cutShort(message.reason) : "";
    dataset.short = short ? "yes" : "no";
    set(this.part("sentence"), ENDINGS[message.status] ? said || ENDINGS[message.status] : short);
  }

  /** @param {Message} message */
  #write({ text, status }) {
    if (!this.#markdown) return set(this.text, text);
    if (text.length > this.#written.length) this.#markdown.write(text.slice(this.#written.length));
    this.#written = text;
    if (status === "sending" || status === "running" || this.#finished) return;
    this.#finished = true;
    this.#markdown.finish();
  }

  /** @param {Photo[]} photos */
  #photos(photos) {
    const place = this.part("photos");
    if (place.childElementCount === photos.length) return;
    place.replaceChildren(
      ...photos.map(({ attachment, url }, at) => {
        const image = document.createElement("img");
        image.alt = `Photo ${at + 1} of this message`;
        if (url) image.src = url;
        else this.showPhoto(image, attachment);
        return image;
      }),
    );
  }
}

export class View {
  #list;
  #template;
  #showPhoto;
  #painted;
  /** @type {Map<string, Article>} */
  #articles = new Map();
  /** @type {Transcript} */
  #next = [];
  #frame = 0;

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement, painted: () => void,
   *          showPhoto: (image: HTMLImageElement, attachment: string) => void}} means
   */
  constructor({ list, template, painted, showPhoto }) {
    this.#list = list;
    this.#template = template;
    this.#painted = painted;
    this.#showPhoto = showPhoto;
  }

  /** The server's own articles become this view's. @param {Transcript} transcript */
  adopt(transcript) {
    for (const message of transcript) {
      const element = /** @type {HTMLElement} */ (this.#list.querySelector(`[data-key="${CSS.escape(message.key)}"]`));
      this.#articles.set(message.key, new Article(element, this.#showPhoto));
    }
    this.#next = transcript;
    this.#paint();
  }

  /** Shows this transcript with the next frame. @param {Transcript} transcript */
  show(transcript) {
    this.#next = transcript;
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    const keys = new Set(this.#next.map((message) => message.key));
    for (const [key, { element }] of this.#articles) {
      if (keys.has(key)) continue;
      element.remove();
      this.#articles.delete(key);
    }
    for (const message of this.#next) {
      const article = this.#articles.get(message.key) ?? this.#make(message);
      article.show(message);
    }
    this.#list.dataset.count = String(this.#next.length);
    this.#painted();
  }

  /** @param {Message} message */
  #make(message) {
    const copy = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (copy.firstElementChild);
    element.dataset.role = message.role;
    element.dataset.key = message.key;
    element.setAttribute("aria-label", message.role === "user" ? "You" : "WonderCam");
    this.#list.append(element);
    const article = new Article(element, this.#showPhoto);
    this.#articles.set(message.key, article);
    return article;
  }
}

/** @param {HTMLElement} element @param {string} text */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
