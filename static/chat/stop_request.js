/**
 * The stop request: created once, and sent again whenever the stream is resumed.
 */
import { Refused } from "./errors.js";
import { STOP_WAIT } from "./watchdog.js";

export class StopRequest {
  /** Whether the user has requested it. */
  isMade = false;
  #api;
  #clock;

  #free;

  /**
   * @param {import("./stream_api.js").StreamApi} api
   * @param {Clock} clock
   * @param {() => void} free gives up the stream's own connection: a browser opens six at most for all tabs, and none
   *   may be free
   */
  constructor(api, clock, free) {
    this.#api = api;
    this.#clock = clock;
    this.#free = free;
  }

  /** Throws Refused. A lost one is sent again when the stream is resumed. @param {string} stream */
  async send(stream) {
    const cancel = this.#clock.after(STOP_WAIT, this.#free);
    try {
      await this.#api.stop(stream);
    } catch (problem) {
      if (problem instanceof Refused) throw problem;
      this.#free();
    } finally {
      cancel();
    }
  }
}
