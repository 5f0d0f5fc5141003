/**
 * The moving picture on the page, and the last frame that stands still while another camera opens.
 */
import { take } from "./frame.js";

export class Picture {
  #video;
  #still;
  /** Called when the picture goes away before its first frame. */
  #given = () => {};

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} still over the video, the same size */
  constructor(video, still) {
    this.#video = video;
    this.#still = still;
  }

  /** Resolves when the first frame is on the page, or the picture was cleared before. @param {MediaStream} stream */
  async show(stream) {
    this.#given();
    this.#video.srcObject = stream;
    const shown = new Promise((resolve) => {
      this.#given = () => resolve(undefined);
      this.#video.requestVideoFrameCallback(() => resolve(undefined));
    });
    this.#video.play().catch(() => {}); // refused only where it was cleared meanwhile
    await shown;
    this.#still.hidden = true;
  }

  /** The last frame stands until the next picture's first one: no black between two cameras. */
  hold() {
    if (!this.#video.videoWidth) return;
    this.#still.width = this.#video.videoWidth;
    this.#still.height = this.#video.videoHeight;
    this.#still.getContext("2d")?.drawImage(this.#video, 0, 0);
    this.#still.hidden = false;
  }

  clear() {
    this.#given();
    this.#video.srcObject = null;
    this.#still.hidden = true;
    this.#still.width = 0; // the frame is not kept
  }

  /** @param {string} name @returns {Promise<File>} */
  take(name) {
    return take(this.#video, name);
  }
}
