/** Cameras as a browser gives them: what is open can be counted, and a test says what each of them can do. */

export class FakeTrack extends EventTarget {
  readyState = "live";
  /** @type {object[]} */
  applied = [];

  /** @param {{settings?: object, capabilities?: object, label?: string}} [what] */
  constructor({ settings = {}, capabilities = {}, label = "" } = {}) {
    super();
    this.label = label;
    this.getSettings = () => settings;
    this.getCapabilities = () => capabilities;
  }

  stop() {
    this.readyState = "ended";
  }

  /** The device was unplugged, or the reader ended the sharing. */
  vanish() {
    this.readyState = "ended";
    this.dispatchEvent(new Event("ended"));
  }

  /** @param {object} wish */
  async applyConstraints(wish) {
    this.applied.push(wish);
  }
}

export class FakeMedia {
  /** @type {FakeTrack[]} */
  tracks = [];
  /** @type {object[]} */
  asked = [];
  /** What the next requests are answered with: a track, an Error, or a promise of one of them. @type {any[]} */
  next = [];

  get live() {
    return this.tracks.filter(({ readyState }) => readyState === "live").length;
  }

  /** @param {object} constraints */
  async getUserMedia(constraints) {
    this.asked.push(constraints);
    const found = (await this.next.shift()) ?? new FakeTrack();
    if (found instanceof Error) throw found;
    this.tracks.push(found);
    return { getTracks: () => [found], getVideoTracks: () => [found], getAudioTracks: () => [found] };
  }

  /** @param {object} constraints */
  getDisplayMedia(constraints) {
    return this.getUserMedia(constraints);
  }

  async enumerateDevices() {
    return [
      { kind: "videoinput", deviceId: "one", label: "One" },
      { kind: "audioinput", deviceId: "mic", label: "Microphone" },
      { kind: "videoinput", deviceId: "two", label: "Two" },
    ];
  }
}

/** @param {string} name @param {string} [message] */
export function failure(name, message = "") {
  return Object.assign(new Error(message), { name });
}

/** A promise that the test settles. */
export function promised() {
  /** @type {(value: any) => void} */
  let resolve = () => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
