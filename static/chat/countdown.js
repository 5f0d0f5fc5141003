/**
 * Counts down under an answer that failed for a while: "Try again in 5 s" becomes "Try again", and its button is
 * emphasised. The announcer says nothing of it. Loaded for the first such answer.
 */
import { translated } from "./words.js";

const WAIT = / in (\d+) s\b/;

export class Countdown {
  #clock;
  #today;
  /** What cancels the next second, by article. @type {WeakMap<HTMLElement, () => void>} */
  #next = new WeakMap();

  /** @param {Clock} clock @param {() => number} [today] the time of day, in ms */
  constructor(clock, today = Date.now) {
    this.#clock = clock;
    this.#today = today;
  }

  /** Shows what is left, now and each second. @param {HTMLElement} element the article @param {Message} message */
  show(element, message) {
    const said = message.error?.message ?? "";
    const until = this.#endOf(message) + Number(WAIT.exec(said)?.[1]) * 1000;
    const place = /** @type {HTMLElement} */ (element.querySelector("[data-part=sentence]"));
    const step = () => {
      const left = until - this.#clock.now();
      const seconds = Math.ceil(left / 1000);
      place.textContent = translated(said.replace(WAIT, seconds > 0 ? ` in ${seconds} s` : ""));
      element.toggleAttribute("data-early", seconds > 0);
      if (seconds > 0 && element.isConnected)
        this.#next.set(element, this.#clock.after(left - (seconds - 1) * 1000, step));
    };
    this.#next.get(element)?.();
    step();
  }

  /** When the answer ended, on the page's clock: it was heard here, or the server stored when it began and how long it
   * took. @param {Message} message */
  #endOf({ times, facts }) {
    if (times.heard !== null) return times.heard;
    const ended = Date.parse(String(facts.created_at)) + (times.total ?? 0);
    return this.#clock.now() - (this.#today() - ended);
  }
}
