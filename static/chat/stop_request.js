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
  #tell;

  /**
   * @param {import("./stream_api.js").StreamApi} api
   * @param {Clock} clock
   * @param {{free: () => void, tell: (line: string) => void}} how `free` gives up the stream's own connection: a browser
   *   opens six at most for all tabs, and none may be free
   */
  constructor(api, clock, { free, tell }) {
    this.#api = api;
    this.#clock = clock;
    this.#free = free;
    this.#tell = tell;
  }

  /** @param {string} stream */
  async send(stream) {
    const cancel = this.#clock.after(STOP_WAIT, this.#free);
    try {
      await this.#api.stop(stream);
    } catch (problem) {
      // Lost: sent again when the stream is resumed. Refused: shown to the user.
      if (problem instanceof Refused) this.#tell(problem.message);
    } finally {
      cancel();
    }
  }
}
