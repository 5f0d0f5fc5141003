/**
 * Plays a short tone for each captured frame, for users who do not see the screen.
 */

const PITCH = 880;
const SECONDS = 0.07;
const LOUDNESS = 0.06;

export class Tone {
  #make;
  /** @type {AudioContext | null} */
  #context = null;

  /** @param {() => AudioContext} make called at the first tone: browsers allow no sound before a gesture. */
  constructor(make) {
    this.#make = make;
  }

  play() {
    this.#context ??= this.#make();
    const { currentTime, destination } = this.#context;
    const loudness = new GainNode(this.#context, { gain: LOUDNESS });
    const oscillator = new OscillatorNode(this.#context, { frequency: PITCH });
    loudness.gain.exponentialRampToValueAtTime(0.001, currentTime + SECONDS);
    oscillator.connect(loudness).connect(destination);
    oscillator.start();
    oscillator.stop(currentTime + SECONDS);
  }
}
