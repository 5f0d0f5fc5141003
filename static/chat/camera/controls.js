/**
 * The controls of the open camera: device, front or back, light, zoom, screen sharing. Those that the device or browser
 * does not support are hidden.
 */

import { t } from "../words.js";
import { other } from "./feed.js";

export class Controls {
  #feed;
  #told;
  #flip;
  #device;
  #torch;
  #zoom;
  #screen;
  /** @type {MediaDeviceInfo[]} */
  #cameras = [];

  /**
   * @param {(name: string) => HTMLElement} part
   * @param {import("./feed.js").Feed} feed
   * @param {{media: MediaDevices | undefined, chosen: (source: Source) => void}} told
   */
  constructor(part, feed, told) {
    this.#feed = feed;
    this.#told = told;
    this.#flip = part("flip");
    this.#torch = part("torch");
    this.#screen = part("screen");
    this.#device = /** @type {HTMLSelectElement} */ (part("device"));
    this.#zoom = /** @type {HTMLInputElement} */ (part("zoom"));
    this.#flip.addEventListener("click", () => told.chosen(other(feed.settings, this.#cameras)));
    this.#torch.addEventListener("click", () => void this.#light(!this.#isLit));
    this.#screen.addEventListener("click", () => told.chosen({ ...feed.source, kind: this.#other }));
    this.#zoom.addEventListener("input", () => void feed.zoom(this.#zoom.valueAsNumber));
    this.#device.addEventListener("change", () => {
      told.chosen({ kind: "camera", facing: "environment", device: this.#device.value });
    });
    told.media?.addEventListener?.("devicechange", () => void this.show());
  }

  /** Shows the controls that the open source supports. */
  async show() {
    const { torch, zoom } = this.#feed.can;
    this.#torch.hidden = !torch;
    this.#torch.setAttribute("aria-pressed", "false");
    this.#zoom.hidden = !zoom;
    if (zoom) {
      const { min, max, step } = zoom;
      Object.assign(this.#zoom, { min: String(min), max: String(max), step: String(step), value: String(min) });
    }
    this.#screen.hidden = !this.#told.media?.getDisplayMedia;
    this.#screen.setAttribute("aria-pressed", String(this.#isScreen));
    if (!this.#feed.isLive) return;
    this.#cameras = await this.#feed.cameras();
    this.#flip.hidden = this.#cameras.length < 2 || this.#isScreen;
    this.#device.parentElement?.toggleAttribute("hidden", this.#flip.hidden);
    this.#device.replaceChildren(...this.#cameras.map(optionOf));
    this.#device.value = this.#feed.settings.deviceId ?? "";
  }

  get #isScreen() {
    return this.#feed.source.kind === "screen";
  }

  /** @returns {Source["kind"]} */
  get #other() {
    return this.#isScreen ? "camera" : "screen";
  }

  get #isLit() {
    return this.#torch.getAttribute("aria-pressed") === "true";
  }

  /** @param {boolean} on */
  async #light(on) {
    await this.#feed.torch(on);
    this.#torch.setAttribute("aria-pressed", String(on));
  }
}

/** @param {MediaDeviceInfo} camera @param {number} at */
function optionOf({ deviceId, label }, at) {
  return new Option(label || t("Camera {number}", { number: at + 1 }), deviceId);
}
