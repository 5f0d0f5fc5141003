/**
 * A replay in the page: the answer as its events came, by the renderer of the chat itself, and the controls.
 *
 * What stands there is the fold of the events so far (`receive`), as it is in a chat. Going back begins the text anew.
 */
import { AnswerText } from "../answer_text.js";
import { awaited, isOpen, receive } from "../message.js";
import { t } from "../words.js";
import { Playback } from "./playback.js";

const NEVER = () => false;

export class Player {
  #root;
  #moved;
  #states;
  #playback;
  /** @type {AnswerText | null} */
  #text = null;
  #written = 0;
  #anew = 0;

  /**
   * @param {HTMLElement} root with the parts of `_replay.html`
   * @param {{at: number, response: GeminiResponse}[]} events from 0 on, `at` in ms
   * @param {{clock: Pick<Clock, "now">, frame?: (call: () => void) => () => void,
   *          moved?: (count: number, now: number) => void}} means
   */
  constructor(root, events, { clock, frame = nextFrame, moved = () => {} }) {
    this.#root = root;
    this.#moved = moved;
    this.#states = statesOf(events);
    const moments = events.map(({ at }) => at);
    this.#playback = new Playback(moments, { clock, frame, show: (count, now) => this.#show(count, now) });
    const place = /** @type {HTMLInputElement} */ (this.#part("place"));
    place.max = String(this.#playback.end);
    place.addEventListener("input", () => this.#playback.seek(Number(place.value)));
    const speed = /** @type {HTMLSelectElement} */ (this.#part("speed"));
    speed.addEventListener("change", () => {
      this.#playback.speed = Number(speed.value);
    });
    root.addEventListener("click", (event) => this.#do(/** @type {HTMLElement} */ (event.target)));
    for (const button of root.querySelectorAll("button")) button.disabled = false;
    this.#playback.seek(this.#playback.end);
  }

  /** Plays from the beginning. */
  play() {
    this.#playback.seek(0);
    this.#playback.play();
  }

  pause() {
    this.#playback.pause();
  }

  /** @param {HTMLElement} button */
  #do(button) {
    const wish = button.closest("button")?.dataset.replay;
    if (wish === "play") this.#playback.isPlaying ? this.#playback.pause() : this.#playback.play();
    if (wish === "step") this.#playback.step(1);
    if (wish === "back") this.#playback.step(-1);
  }

  /** @param {number} count @param {number} now */
  #show(count, now) {
    const { end, isPlaying } = this.#playback;
    const answer = this.#states[count];
    if (!this.#text || answer.text.length < this.#written || answer.anew !== this.#anew) this.#begin(answer);
    this.#written = answer.text.length;
    this.#text?.show(answer, !isOpen(answer), NEVER);
    this.#part("thoughts").hidden = !answer.thoughts;
    set(this.#part("thinking"), answer.thoughts);
    set(this.#part("notice"), isOpen(answer) ? answer.notice : "");
    set(this.#part("failure"), answer.error?.message ?? "");
    const place = { now: seconds(now), end: seconds(end), event: Math.max(count - 1, 0), last: this.#last };
    set(this.#part("time"), t("{now} of {end}, event {event} of {last}", place));
    set(this.#part("play"), isPlaying ? t("Pause") : t("Play"));
    /** @type {HTMLInputElement} */ (this.#part("place")).value = String(now);
    this.#moved(count, now);
  }

  get #last() {
    return Math.max(this.#states.length - 2, 0);
  }

  /** @param {Message} answer */
  #begin(answer) {
    const place = this.#part("text");
    place.replaceChildren();
    this.#text = new AnswerText(place);
    this.#anew = answer.anew;
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(`[data-part=${name}]`));
  }
}

/** The answer before the first event, and after each. @param {{at: number, response: GeminiResponse}[]} events */
export function statesOf(events) {
  let answer = awaited({ key: "replay", at: 0 });
  const states = [answer];
  for (const [seq, { at, response }] of events.entries()) {
    answer = receive(answer, seq, response, at);
    states.push(answer);
  }
  return states;
}

/** @param {() => void} call @returns {() => void} */
function nextFrame(call) {
  const frame = requestAnimationFrame(call);
  return () => cancelAnimationFrame(frame);
}

/** @param {number} ms */
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** @param {HTMLElement} element @param {string} text */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
