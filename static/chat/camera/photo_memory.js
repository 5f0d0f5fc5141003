/**
 * Keeps photos and sounds of messages in memory only near the viewport, so that long chats do not fill it. One that is
 * scrolled away is released, and loaded from the server again when it comes near.
 */

/** The margin around the viewport: one screen in each direction. */
const NEAR = "100% 0px";

/** @typedef {HTMLImageElement | HTMLAudioElement} Medium */

export class PhotoMemory {
  #load;
  #observer;
  /** @type {WeakMap<Element, string>} */
  #attachments = new WeakMap();
  /** The page's own previews that were released. @type {Set<string>} */
  #gone = new Set();

  /**
   * @param {HTMLElement} viewport what scrolls
   * @param {(attachment: string) => Promise<Blob | null>} load
   */
  constructor(viewport, load) {
    this.#load = load;
    this.#observer = new IntersectionObserver((entries) => this.#scrolled(entries), {
      root: viewport,
      rootMargin: NEAR,
    });
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
      else if (!isIntersecting) this.#letGo(medium);
      else if (!medium.src) void this.#fetch(medium);
    }
  }

  /** @param {Medium} medium */
  #letGo(medium) {
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
    // After a failure, as while the page is left, it is loaded when it comes near again.
    const kept = await this.#load(this.#attachments.get(medium) ?? "").catch(() => null);
    if (!kept || medium.src) return;
    medium.src = URL.createObjectURL(kept);
    if (medium instanceof HTMLImageElement) await medium.decode().catch(() => {});
    if (!medium.src) return; // scrolled away meanwhile
    medium.style.inlineSize = "";
    medium.style.blockSize = "";
  }
}
