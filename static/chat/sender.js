/**
 * Sends what stands in the composer. A question waits for its photos: until they are there it stands in the box, is
 * stopped by the stop button, and sent anew by a second Enter, with what the box has by then.
 */

export class Sender {
  #means;
  /** The question that waits. @type {AbortController | null} */
  #waiting = null;

  /**
   * @param {{session: Requester, chat: import("./chat.js").Chat, composer: import("./composer.js").Composer,
   *          photos: import("./photos_loader.js").PhotosLoader, camera: import("./camera/loader.js").CameraLoader,
   *          scroll: import("./scroll.js").Scroll, queue: (text: string) => void, checkModel: () => void,
   *          problem: (sentence: string) => void, failed: (sentence: string) => void}} means
   */
  constructor(means) {
    this.#means = means;
  }

  /** @param {string} text @param {boolean} [looks] whether the camera's frame of this moment goes along, if it is open
   * @param {(to: Requester) => Promise<Photo>} [sound] stores what was said */
  async send(text, looks = !this.#means.composer.editing, sound) {
    const { composer, photos, camera, checkModel, problem, failed } = this.#means;
    checkModel();
    const isSeen = photos.count > 0 || (looks && camera.sees);
    if (composer.busy || (!text.trim() && !photos.count && !sound) || (isSeen && composer.photos === "no")) return;
    composer.busy = true; // photos may still be on their way: a second Enter must not send twice
    problem("");
    const own = new AbortController();
    this.#waiting = own;
    try {
      const taken = await this.#photos(own.signal, looks, sound);
      own.signal.throwIfAborted();
      this.#waiting = null;
      await this.#ask(text, taken);
    } catch (error) {
      if (own.signal.aborted) return; // stopped, or another chat was opened: the question stays in its draft
      const isAsked = !this.#waiting;
      this.leave();
      failed(/** @type {Error} */ (error).message);
      if (isAsked) throw error; // what a refused photo has said is no fault of the page
    }
  }

  /** Sends a message after the running answer. One whose question still waits takes its place. @param {string} text */
  queue(text) {
    if (!this.#waiting) return this.#means.queue(text);
    this.leave();
    return void this.send(text);
  }

  /** Stops the answer, or the question before it is sent. */
  async stop() {
    if (this.#waiting) return this.leave();
    this.#means.problem("");
    try {
      await this.#means.chat.stop();
    } catch (error) {
      this.#means.failed(/** @type {Error} */ (error).message);
    }
  }

  /** Leaves the question that waits in its draft. */
  leave() {
    const { chat, composer } = this.#means;
    this.#waiting?.abort();
    this.#waiting = null;
    composer.busy = chat.busy;
  }

  /** @param {AbortSignal} signal @param {boolean} looks @param {(to: Requester) => Promise<Photo>} [sound] */
  async #photos(signal, looks, sound) {
    const { session, photos, camera } = this.#means;
    if (looks && !photos.count) await photos.add(await camera.frames(), { unsent: true });
    signal.throwIfAborted();
    return [...(sound ? [await sound(session)] : []), ...(await photos.take(signal))];
  }

  /** @param {string} text @param {Photo[]} photos */
  async #ask(text, photos) {
    const { chat, composer, scroll, checkModel } = this.#means;
    const { model } = composer;
    const editing = composer.take(text);
    checkModel();
    scroll.toEnd();
    const asked = editing ? chat.edit(editing, { text, photos, model }) : chat.send({ text, photos, model });
    if (composer.text) chat.draft.type(composer.text); // what was typed meanwhile is the next draft
    await asked;
  }
}
