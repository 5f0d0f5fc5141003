/**
 * Whether somebody speaks, from how loud the microphone is: energy above a floor that follows the room. Pure.
 *
 * Public detectors wait for some 100 to 250 ms of speech before they believe in it, end it after 300 to 800 ms of
 * silence, and ask for less to go on than to begin (Silero's 0.5 and 0.35). So does this one, by the sound's level.
 */

/** The level of speech over the room's, to begin and to go on: 10 and 6 dB. */
export const BEGINS = 3.2;
const GOES_ON = 2;
/** So much speech, in ms, is speech; a click is shorter. */
const CERTAIN = 120;
/** So much silence, in ms, is the end; people pause for less within a sentence. */
const SILENCE = 800;
/** No room is quieter than that, as far as microphones go: RMS, where 1 is the loudest. */
export const QUIETEST = 0.004;
/** The floor follows a quieter room at once and a louder one slowly: a share of the way each second. */
const RISE = 0.15;

export class VoiceActivity {
  #floor = Number.POSITIVE_INFINITY;
  #loud = 0;
  #quiet = 0;
  isSpeaking = false;

  /**
   * How loud it was for some time.
   * @param {number} level RMS, from 0 to 1
   * @param {number} passed in ms
   * @param {number} [margin] how much louder than usual speech must be, while a voice of our own is to be heard
   * @returns {"began" | "ended" | ""}
   */
  hear(level, passed, margin = 1) {
    const floor = Math.max(QUIETEST, Math.min(level, this.#floor));
    const isLoud = level > floor * (this.isSpeaking ? GOES_ON : BEGINS) * margin && level > QUIETEST * BEGINS * margin;
    this.#floor = this.isSpeaking ? floor : floor + (level - floor) * Math.min(1, RISE * (passed / 1000));
    this.#loud = isLoud ? this.#loud + passed : Math.max(0, this.#loud - passed);
    this.#quiet = isLoud ? 0 : this.#quiet + passed;
    if (!this.isSpeaking && this.#loud >= CERTAIN) return this.#turn(true);
    if (this.isSpeaking && this.#quiet >= SILENCE) return this.#turn(false);
    return "";
  }

  /** @param {boolean} isSpeaking @returns {"began" | "ended"} */
  #turn(isSpeaking) {
    this.isSpeaking = isSpeaking;
    this.#loud = 0;
    this.#quiet = 0;
    return isSpeaking ? "began" : "ended";
  }
}
