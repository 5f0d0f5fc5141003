/**
 * The photos of messages, as long as they are near what is shown: an hour of questions with a photo each does not keep
 * an hour of photos in memory. One that is scrolled away is let go, and asked of the server again when it comes near.
 */

/** How far beyond the edges photos are kept: one screen either way. */
const NEAR = "100% 0px";

export class PhotoMemory {
  #load;
  #observer;
  /** @type {WeakMap<Element, string>} */
  #attachments = new WeakMap();
  /** The page's own previews that were let go. @type {Set<string>} */
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
   * @param {HTMLImageElement} image @param {Photo} photo
   */
  show(image, { attachment, url }) {
    this.#attachments.set(image, attachment);
    if (url && !this.#gone.has(url)) image.src = url;
    this.#observer.observe(image);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const image = /** @type {HTMLImageElement} */ (target);
      if (!image.isConnected) this.#observer.unobserve(image);
      else if (!isIntersecting) this.#letGo(image);
      else if (!image.src) void this.#fetch(image);
    }
  }

  /** @param {HTMLImageElement} image */
  #letGo(image) {
    if (!image.src || !image.complete) return;
    image.style.inlineSize = `${image.offsetWidth}px`; // its place stays as large as it was
    image.style.blockSize = `${image.offsetHeight}px`;
    this.#gone.add(image.src);
    URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
  }

  /** @param {HTMLImageElement} image */
  async #fetch(image) {
    // One that cannot be had just now, as when the page is left, is asked for when it is looked at again.
    const photo = await this.#load(this.#attachments.get(image) ?? "").catch(() => null);
    if (!photo || image.src) return;
    image.src = URL.createObjectURL(photo);
    await image.decode().catch(() => {});
    if (!image.src) return; // scrolled away meanwhile
    image.style.inlineSize = "";
    image.style.blockSize = "";
  }
}
