/**
 * The microphone, and how loud it is before it, some fifty times a second. No sound is kept here; what it hears is open to
 * whoever records its stream.
 */

/** In ms. */
const EACH = 20;
const SAMPLES = 1024;

export class Microphone {
  #media;
  #makeContext;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;
  #timer = 0;
  #requests = 0;

  /** @param {{media: Pick<MediaDevices, "getUserMedia">, makeContext: () => AudioContext}} means */
  constructor({ media, makeContext }) {
    this.#media = media;
    this.#makeContext = makeContext;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  /** What it hears, while it is open. */
  get stream() {
    return this.#stream;
  }

  /**
   * Opens it; false where it was closed meanwhile. Rejects with the browser's DOMException.
   * @param {(level: number, passed: number) => void} heard RMS from 0 to 1, and for how many ms
   */
  async open(heard) {
    if (this.#stream) return true;
    const request = ++this.#requests;
    // What the page itself says is taken out of the sound, as far as the browser can.
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: false };
    const stream = await this.#media.getUserMedia({ audio, video: false });
    if (request !== this.#requests) {
      stop(stream);
      return false;
    }
    this.#stream = stream;
    this.#context = this.#makeContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = SAMPLES;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(SAMPLES);
    let before = performance.now();
    this.#timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const now = performance.now();
      heard(loudness(samples), now - before);
      before = now;
    }, EACH);
    return true;
  }

  close() {
    this.#requests += 1;
    clearInterval(this.#timer);
    if (this.#stream) stop(this.#stream);
    this.#stream = null;
    void this.#context?.close();
    this.#context = null;
  }
}

/** @param {Float32Array} samples */
const loudness = (samples) => Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
