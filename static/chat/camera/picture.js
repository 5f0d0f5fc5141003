/**
 * The video element, and its last frame, which is shown while another camera opens.
 */
import { take } from "./frame.js";

export class Picture {
  #video;
  #still;
  /** Called when the video is cleared before its first frame. */
  #given = () => {};

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} still over the video, the same size */
  constructor(video, still) {
    this.#video = video;
    this.#still = still;
  }

  /** Resolves when the first frame is shown, or the video was cleared before. @param {MediaStream} stream */
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

  /** Shows the last frame until the next video's first one, so that the screen is not black between two cameras. */
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
