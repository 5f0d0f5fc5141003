/** A recogniser, a voice and a microphone that do what a test tells them, and a conversation that uses them. */
import { Listener } from "../../static/chat/voice/listener.js";
import { Reader } from "../../static/chat/voice/reader.js";
import { Recognition } from "../../static/chat/voice/recognition.js";
import { Talk } from "../../static/chat/voice/talk.js";
import { Wishes } from "../../static/chat/voice/wishes.js";
import { settled } from "./clock.js";

export class FakeSynthesis {
  /** @type {any[]} */
  spoken = [];
  cancelled = 0;
  voices = [{ voiceURI: "anna", name: "Anna", lang: "de-DE" }];

  getVoices() {
    return this.voices;
  }

  /** @param {any} utterance */
  speak(utterance) {
    this.spoken.push(utterance);
  }

  cancel() {
    this.cancelled += 1;
  }

  /** The oldest sentence was said to its end. @param {number} at */
  said(at) {
    this.spoken[at].onend();
  }

  get texts() {
    return this.spoken.map(({ text }) => text);
  }
}

export class FakeUtterance {
  lang = "";
  rate = 1;
  /** @type {any} */
  voice = null;
  onend = () => {};

  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** What the browser has: a class whose objects are on record. @param {string} [available] */
export function recogniserType(available) {
  return class FakeRecognizer {
    /** @type {any[]} */
    static all = [];
    static available = available ? async () => available : undefined;
    onresult = (/** @type {any} */ _event) => {};
    onerror = (/** @type {any} */ _event) => {};
    onend = () => {};
    processLocally = false;
    continuous = false;
    started = false;
    constructor() {
      FakeRecognizer.all.push(this);
    }
    start() {
      this.started = true;
    }
    stop() {
      this.onend();
    }
    abort() {
      this.onerror({ error: "aborted" });
      this.onend();
    }
    /** @param {string[]} pieces */
    hears(...pieces) {
      this.onresult({ results: pieces.map((transcript) => [{ transcript }]) });
    }
    /** @param {string} error */
    fails(error) {
      this.onerror({ error });
      this.onend();
    }
  };
}

class FakeMicrophone {
  isOpen = false;
  refuses = "";
  heard = (/** @type {number} */ _level, /** @type {number} */ _passed) => {};

  /** @param {(level: number, passed: number) => void} heard */
  async open(heard) {
    if (this.refuses) throw new DOMException("no", this.refuses);
    this.isOpen = true;
    this.heard = heard;
    return true;
  }

  close() {
    this.isOpen = false;
  }

  get stream() {
    return /** @type {MediaStream | null} */ (this.isOpen ? {} : null);
  }

  /**
   * How loud it is for so many ms; how long it took until something was true.
   * @param {number} level @param {number} duration @param {() => boolean} [until]
   */
  sounds(level, duration, until = () => false) {
    for (let passed = 20; passed <= duration; passed += 20) {
      this.heard(level * (1 + 0.1 * Math.sin(passed)), 20);
      if (until()) return passed;
    }
    return duration;
  }
}

/** No model hears. @type {Listening} */
const NOBODY = { where: async () => "none", start() {}, stop() {}, abort() {} };

/**
 * A conversation with everything it needs.
 * @param {{available?: string, wishes?: object, consent?: Hearing | "", isExclusive?: boolean, refuses?: string, hasRecognizer?: boolean,
 *          recorder?: (microphone: {stream: MediaStream | null}) => Listening}} [how] `refuses`: why the microphone cannot
 *   be opened; `recorder`: what listens where the recogniser does not
 */
export function talking({
  available,
  wishes = {},
  consent = "maker",
  isExclusive = false,
  refuses = "",
  hasRecognizer = true,
  recorder,
} = {}) {
  const Recognizer = recogniserType(available);
  const synthesis = new FakeSynthesis();
  const microphone = new FakeMicrophone();
  microphone.refuses = refuses;
  const kept = new Map([["voice", JSON.stringify(wishes)]]);
  const remembered = new Wishes({
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
  });
  const told = {
    /** @type {string[]} */ asked: [],
    /** @type {Blob[]} */ sounds: [],
    /** @type {string[]} */ problems: [],
    /** @type {string[]} */ consents: [],
    spoke: 0,
    unasked: 0,
    stopped: 0,
    busy: false,
  };
  const reader = new Reader({
    synthesis: /** @type {any} */ (synthesis),
    Utterance: /** @type {any} */ (FakeUtterance),
    language: "en",
    wishes: () => remembered.read(),
    changed: () => reader.isSpeaking || talk.resume(),
  });
  const talk = new Talk({
    recognition: new Listener({
      recognition: new Recognition({
        Recognizer: hasRecognizer ? /** @type {any} */ (Recognizer) : undefined,
        language: "en",
      }),
      recorder: recorder?.(microphone) ?? NOBODY,
    }),
    microphone: /** @type {any} */ (microphone),
    reader,
    wishes: remembered,
    isExclusive,
    told: {
      ask(text, sound) {
        told.asked.push(text);
        if (sound) told.sounds.push(sound);
      },
      spoke: () => told.spoke++,
      unasked: () => told.unasked++,
      heard: () => {},
      isBusy: () => told.busy,
      stop: () => {
        told.stopped += 1;
        told.busy = false;
      },
      consent: async (where) => {
        told.consents.push(where);
        return consent;
      },
      problem: (sentence) => sentence && told.problems.push(sentence),
      changed: () => {},
    },
  });
  /** Pressed, and everything that follows at once has followed. @param {{isHeld?: boolean}} [options] */
  const press = async (options) => {
    const done = talk.press(options);
    await settled();
    await done;
  };
  return { talk, press, told, synthesis, microphone, remembered, recognisers: Recognizer.all };
}
