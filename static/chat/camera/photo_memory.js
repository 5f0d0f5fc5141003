/**
 * Keeps photos and sounds of messages in memory only near the viewport, so that long chats do not fill it. One that is
 * scrolled away is released, and loaded from the server again when it comes near, or when the chat is printed. One that
 * could not be loaded is asked for again, as long as it is near.
 */
import { t } from "../words.js";
import { downloads } from "./photo_now.js";

/** The margin around the viewport: one screen in each direction. */
const NEAR = "100% 0px";
/** How long after a failure photos are asked for again, doubled each time up to the longest, in ms. */
const AGAIN = 1_000;
const LONGEST = 30_000;
/** The longest that printing waits for photos, in ms. */
const PATIENCE = 10_000;

/** @typedef {HTMLImageElement | HTMLAudioElement} Medium */

export class PhotoMemory {
  #viewport;
  #load;
  #csrf;
  #observer;
  #isPrinting = false;
  /** @type {WeakMap<Element, string>} */
  #attachments = new WeakMap();
  /** The page's own previews that were released. @type {Set<string>} */
  #gone = new Set();
  /** Those near that could not be loaded. @type {Set<Medium>} */
  #failed = new Set();
  #wait = AGAIN;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} viewport what scrolls
   * @param {(attachment: string) => Promise<Blob | null>} load null for what is not there any more
   * @param {() => string} csrf the newest CSRF token
   */
  constructor(viewport, load, csrf) {
    this.#csrf = csrf;
    this.#viewport = viewport;
    this.#load = load;
    this.#observer = new IntersectionObserver((entries) => this.#scrolled(entries), {
      root: viewport,
      rootMargin: NEAR,
    });
    addEventListener("beforeprint", () => this.#print());
    addEventListener("afterprint", () => this.#printed());
    addEventListener("online", () => this.#again());
  }

  /** The photos of all messages. */
  get #images() {
    return [.../** @type {NodeListOf<HTMLImageElement>} */ (this.#viewport.querySelectorAll("[data-part=photos] img"))];
  }

  /** Loads all photos, which stay until the chat has been printed. */
  async loadAll() {
    this.#isPrinting = true;
    await Promise.all(this.#images.map((image) => (image.src ? image.decode().catch(() => {}) : this.#fetch(image))));
  }

  /** Shows those that are missing at once: a browser that prints by its menu waits for nothing else. */
  #print() {
    this.#isPrinting = true;
    const download = downloads(this.#csrf);
    const end = Date.now() + PATIENCE;
    for (const image of this.#images) {
      const kept = !image.src && Date.now() < end ? download(this.#attachments.get(image) ?? "") : null;
      if (kept) image.src = URL.createObjectURL(kept);
    }
  }

  /** From now on those are released again that are not near. */
  #printed() {
    this.#isPrinting = false;
    for (const image of this.#images) {
      this.#observer.unobserve(image);
      this.#observer.observe(image);
    }
  }

  /**
   * Shows a photo in its image, now and whenever it comes near.
   * @param {Medium} medium @param {Photo} photo
   */
  show(medium, { attachment, url }) {
    this.#attachments.set(medium, attachment);
    if (url && !this.#gone.has(url)) medium.src = url;
    this.#observer.observe(medium);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const medium = /** @type {Medium} */ (target);
      if (!medium.isConnected) this.#observer.unobserve(medium);
      else if (!isIntersecting) this.#isPrinting || this.#leave(medium);
      else if (!medium.src) void this.#fetch(medium);
    }
  }

  /** @param {Medium} medium */
  #leave(medium) {
    this.#failed.delete(medium);
    if (!medium.src || !(medium instanceof HTMLAudioElement ? medium.paused : medium.complete)) return;
    medium.style.inlineSize = `${medium.offsetWidth}px`; // its place stays as large as it was
    medium.style.blockSize = `${medium.offsetHeight}px`;
    this.#gone.add(medium.src);
    URL.revokeObjectURL(medium.src);
    medium.removeAttribute("src");
    if (medium instanceof HTMLAudioElement) medium.load(); // until then it holds on to the sound
  }

  /** @param {Medium} medium */
  async #fetch(medium) {
    try {
      const kept = await this.#load(this.#attachments.get(medium) ?? "");
      this.#wait = AGAIN;
      if (kept && !medium.src) await this.#fill(medium, kept);
      if (!kept && medium instanceof HTMLImageElement) {
        medium.alt = t("This is not here any more.");
        medium.dataset.gone = "";
      }
    } catch {
      this.#failed.add(medium);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#again(), this.#wait);
    }
  }

  /** Asks for those again that could not be loaded. */
  #again() {
    const failed = [...this.#failed].filter(({ isConnected, src }) => isConnected && !src);
    this.#failed.clear();
    this.#wait = Math.min(LONGEST, 2 * this.#wait);
    for (const medium of failed) void this.#fetch(medium);
  }

  /** @param {Medium} medium @param {Blob} kept */
  async #fill(medium, kept) {
    medium.src = URL.createObjectURL(kept);
    if (medium instanceof HTMLImageElement) await medium.decode().catch(() => {});
    if (!medium.src) return; // scrolled away meanwhile
    medium.style.inlineSize = "";
    medium.style.blockSize = "";
  }
}
