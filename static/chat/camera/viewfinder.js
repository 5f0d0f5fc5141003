/**
 * The camera on the page: opened by the user, previewed, used for questions, and closed.
 *
 *     closed → opening → live ⇄ paused (the tab was hidden) · failed (a sentence, and what to do)
 *
 * A tap on the picture asks about it, or stops the answer; the shutter (by tap, Space or Enter) keeps a photo for the
 * next question. No frame leaves this object unless it is asked with: `frame()` and the shutter are the only ways out.
 */
import { t } from "../words.js";
import { Controls } from "./controls.js";
import { Feed } from "./feed.js";
import { Opener } from "./opener.js";
import { Picture } from "./picture.js";
import { GONE, hindrance, SCREEN_ENDED, SCREEN_FAILED, sentence } from "./problems.js";
import { Shots } from "./shots.js";
import { Tone } from "./tone.js";

const QUESTION = t("What is this?");
const AWAY = t("The camera was switched off while you were away.");

export class Viewfinder {
  #section;
  #told;
  #picture;
  #feed;
  #controls;
  #tone = new Tone(() => new AudioContext());
  /** @type {Promise<void>} */
  #opening = Promise.resolve();
  #opener = new Opener();
  shots;
  #count = 0;

  /**
   * @param {HTMLElement} section
   * @param {{photos: import("../photos_loader.js").PhotosLoader, ask: (text: string) => void, changed: () => void,
   *          said: (sentence: string) => void}} told `ask` sends a question, or stops the answer that is running.
   */
  constructor(section, told) {
    this.#section = section;
    this.#told = told;
    this.#picture = new Picture(
      /** @type {HTMLVideoElement} */ (this.#part("video")),
      /** @type {HTMLCanvasElement} */ (this.#part("still")),
    );
    const media = navigator.mediaDevices;
    this.#feed = new Feed({ media, ended: () => this.#stop("failed", this.#isScreen ? SCREEN_ENDED : GONE) });
    this.#controls = new Controls((name) => this.#part(name), this.#feed, {
      media,
      chosen: (source) => void this.#change(source),
    });
    this.shots = new Shots(told.photos, this.#part("retake"), told.said);
    this.#listen();
  }

  get isOpen() {
    return !this.#section.hidden;
  }

  /** Whether a question would include a frame: the video is shown or opening. */
  get sees() {
    return this.#state === "live" || this.#state === "opening";
  }

  get #state() {
    return this.#section.dataset.state ?? "closed";
  }

  async open() {
    if (this.sees) return;
    this.#opener.show(this.#section);
    this.#opening = this.#show(this.#feed.source);
    await this.#opening;
    this.#part(this.#state === "live" ? "shutter" : "retry").focus();
  }

  close() {
    this.#opener.hide(this.#section);
    this.#stop("closed");
  }

  /** The current frame, once there is one; null without video. @returns {Promise<File | null>} */
  async frame() {
    if (this.#state === "opening") await this.#opening;
    if (this.#state !== "live") return null;
    this.#count += 1;
    const frame = this.#picture.take(`${t("Photo")} ${this.#count}.jpg`);
    this.#tone.play();
    this.#part("flash").animate?.([{ opacity: 0.8 }, { opacity: 0 }], { duration: 180 });
    return frame;
  }

  #listen() {
    /** @type {Record<string, () => void>} */
    const verbs = {
      picture: () => this.#told.ask(QUESTION),
      shutter: () => void this.#shoot(),
      retake: () => {
        this.shots.retake();
        this.#part("shutter").focus();
      },
      retry: () => void this.open(),
      close: () => this.close(),
      dismiss: () => this.close(),
    };
    for (const [name, verb] of Object.entries(verbs)) this.#part(name).addEventListener("click", verb);
    const file = /** @type {HTMLInputElement} */ (this.#part("file"));
    file.addEventListener("change", () => void this.#told.photos.add([...(file.files ?? [])]));
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("visibilitychange", () => document.hidden && !this.#isScreen && this.#pause());
    addEventListener("pagehide", () => this.#pause());
  }

  /** Space and Enter are the shutter where nothing has the focus; Escape closes. @param {KeyboardEvent} event */
  #pressed(event) {
    if (!this.isOpen || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape" && (target === document.body || this.#section.contains(target))) this.close();
    if ((event.key !== " " && event.key !== "Enter") || target !== document.body || event.repeat) return;
    event.preventDefault();
    void this.#shoot();
  }

  async #shoot() {
    const frame = await this.frame();
    if (frame) await this.shots.add(frame);
  }

  /** @param {Source} source */
  async #change(source) {
    const before = this.#feed.source;
    this.#picture.hold();
    this.#opening = this.#show(source, before);
    await this.#opening;
  }

  /**
   * @param {Source} source
   * @param {Source} [before] what is shown again where this one does not open
   * @returns {Promise<void>}
   */
  async #show(source, before) {
    const hindered = hindrance(window);
    if (hindered) return this.#stop("failed", hindered);
    this.#enter("opening");
    try {
      if (!(await this.#feed.open(source))) return undefined;
    } catch (error) {
      if (this.#state !== "opening") return undefined; // closed meanwhile
      if (!before) return this.#stop("failed", sentence(error));
      if (source.kind === "camera") this.#told.said(sentence(error));
      else if (/** @type {Error} */ (error).name !== "NotAllowedError") this.#told.said(SCREEN_FAILED);
      if (!this.#feed.isLive) return this.#show(before);
    }
    await this.#play();
    return undefined;
  }

  async #play() {
    const { stream, source, isMirrored } = this.#feed;
    if (!stream) return;
    this.#section.dataset.kind = source.kind;
    this.#section.toggleAttribute("data-mirrored", isMirrored);
    await this.#picture.show(stream);
    if (this.#feed.stream !== stream) return; // closed meanwhile
    this.#enter("live");
    await this.#controls.show();
  }

  #pause() {
    if (this.sees) this.#stop("paused", AWAY);
  }

  /** @param {"closed" | "paused" | "failed"} state @param {string} [said] */
  #stop(state, said = "") {
    if (this.#isScreen) this.#feed.source = { kind: "camera", facing: "environment", device: "" };
    this.#feed.close();
    this.#picture.clear();
    this.#part("sentence").textContent = said;
    this.#enter(state);
  }

  /** @param {"closed" | "opening" | "live" | "paused" | "failed"} state */
  #enter(state) {
    this.#section.dataset.state = state;
    for (const button of document.querySelectorAll("[aria-controls=camera]")) {
      button.setAttribute("aria-expanded", String(this.isOpen));
    }
    this.#told.changed();
  }

  get #isScreen() {
    return this.#feed.source.kind === "screen";
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#section.querySelector(`[data-part=${name}]`));
  }
}
