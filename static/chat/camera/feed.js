/**
 * The video of a camera or a screen: opens, switches and closes it, so that the camera is on only while it is shown.
 *
 * At most one stream is open. One that arrives after `close()`, because a permission was given late, is stopped at
 * once.
 */

/** What a photo is scaled down to is 2048 px; this is the nearest size that cameras have. */
const SIZE = { width: { ideal: 1920 }, height: { ideal: 1080 } };

/** @type {Source} */
const FIRST = { kind: "camera", facing: "environment", device: "" };

/** @param {Source} source @returns {MediaTrackConstraints} */
export function constraints({ facing, device }) {
  return { ...SIZE, ...(device ? { deviceId: { exact: device } } : { facingMode: { ideal: facing } }) };
}

/**
 * The other camera: that of the other facing mode, if the cameras report it, else the next in the list.
 * @param {MediaTrackSettings} shown the settings of the track that is shown
 * @param {{deviceId: string}[]} cameras
 * @returns {Source}
 */
export function other({ facingMode, deviceId }, cameras) {
  if (facingMode) return { kind: "camera", facing: facingMode === "user" ? "environment" : "user", device: "" };
  const at = cameras.findIndex((camera) => camera.deviceId === deviceId);
  return { ...FIRST, device: cameras[(at + 1) % cameras.length]?.deviceId ?? "" };
}

export class Feed {
  source = FIRST;
  #media;
  #ended;
  /** @type {MediaStream | null} */
  #stream = null;
  #requests = 0;

  /** @param {{media: MediaDevices, ended: () => void}} means `ended` is called when a track ends by itself. */
  constructor({ media, ended }) {
    this.#media = media;
    this.#ended = ended;
  }

  get stream() {
    return this.#stream;
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  get isLive() {
    return this.#track?.readyState === "live";
  }

  get settings() {
    return this.#track?.getSettings() ?? {};
  }

  /**
   * Whether to mirror the preview: for a front camera, and for one without a facing mode, as on desktops.
   */
  get isMirrored() {
    if (this.source.kind === "screen") return false;
    const { facingMode } = this.settings;
    return facingMode ? facingMode === "user" : !/back|rear|environment/i.test(this.#track?.label ?? "");
  }

  /**
   * The capabilities of this track.
   * @returns {{torch: boolean, zoom: {min: number, max: number, step: number} | null}}
   */
  get can() {
    const found = /** @type {any} */ (this.#track?.getCapabilities?.() ?? {});
    const { zoom } = found;
    return {
      torch: [found.torch].flat().includes(true),
      zoom: zoom?.max > zoom?.min ? { min: zoom.min, max: zoom.max, step: zoom.step || 0.1 } : null,
    };
  }

  /**
   * Opens this source instead of the open one. A screen is requested before the camera is closed, since the user may
   * decline; a camera after, since many phones can open only one at a time.
   * @param {Source} [source]
   * @returns {Promise<boolean>} false where it was closed meanwhile. Rejects with the browser's DOMException.
   */
  async open(source = this.source) {
    if (source.kind === "camera") this.close();
    const request = ++this.#requests;
    const stream = await this.#ask(source);
    if (request !== this.#requests) {
      stop(stream);
      return false;
    }
    this.#release();
    this.#stream = stream;
    this.source = source;
    this.#track?.addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      this.close();
      this.#ended();
    });
    return true;
  }

  close() {
    this.#requests += 1;
    this.#release();
  }

  async cameras() {
    const devices = await this.#media.enumerateDevices();
    return devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
  }

  /** @param {boolean} on */
  torch(on) {
    return this.#apply({ torch: on });
  }

  /** @param {number} zoom */
  zoom(zoom) {
    return this.#apply({ zoom });
  }

  /** @param {object} wish */
  async #apply(wish) {
    await this.#track?.applyConstraints({ advanced: [/** @type {MediaTrackConstraintSet} */ (wish)] });
  }

  /** @param {Source} source */
  async #ask(source) {
    if (source.kind === "screen") return this.#media.getDisplayMedia({ video: true, audio: false });
    try {
      return await this.#media.getUserMedia({ video: constraints(source), audio: false });
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "OverconstrainedError") throw error;
      return this.#media.getUserMedia({ video: true, audio: false });
    }
  }

  #release() {
    if (this.#stream) stop(this.#stream);
    this.#stream = null;
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
