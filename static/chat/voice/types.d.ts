/** Shapes of what is heard and said. Types only: nothing here reaches a browser. */

/** What is remembered of a reader's wishes. `isAllowed`: the browser's maker may hear what is said. */
interface VoiceWishes {
  isAloud: boolean;
  isHandsFree: boolean;
  isAllowed: boolean;
  voice: string;
  rate: number;
}

/** The Web Speech API's recogniser (https://webaudio.github.io/web-speech-api/), as far as it is used here. */
interface Recognizer extends EventTarget {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  processLocally?: boolean;
  onresult: ((event: { results: ArrayLike<ArrayLike<{ transcript: string }> & { isFinal: boolean }> }) => void) | null;
  onerror: ((event: { error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  stop(): void;
  abort(): void;
}

interface RecognizerType {
  new (): Recognizer;
  available?(options: { langs: string[]; processLocally: boolean }): Promise<string>;
  install?(options: { langs: string[]; processLocally: boolean }): Promise<boolean>;
}

/** Where speech is turned into text: on the device, there after a download, by the browser's maker, or nowhere. Or who
 * hears it as a sound: the chosen model, or only another one. */
type Hearing = "device" | "download" | "maker" | "model" | "another" | "none";

/** What listens: the browser's recogniser, or a recorder for a model that hears. */
interface Listening {
  /** Whether it needs the page's microphone, open, before it starts. */
  isRecorder?: boolean;
  where(): Promise<Hearing>;
  refusal?(error: unknown): string;
  start(how: { isLocal: boolean; isPatient: boolean }, tell: ListeningTold): void;
  stop(): void;
  abort(): void;
}

/** What that tells: `ended` once, with the words, or the sound, or why there is neither. */
interface ListeningTold {
  heard: (text: string) => void;
  ended: (text: string, problem: string, sound?: Blob) => void;
}

/** What a conversation by voice needs, and what it tells. */
interface TalkMeans {
  recognition: Listening;
  microphone: Pick<import("./microphone.js").Microphone, "open" | "close">;
  reader: Pick<import("./reader.js").Reader, "begin" | "read" | "stop" | "isSpeaking">;
  wishes: Pick<import("./wishes.js").Wishes, "read">;
  /** Whether the device lends its microphone to one listener at a time. */
  isExclusive: boolean;
  told: {
    /** A question was spoken: its words, or the sound of it. */
    ask: (text: string, sound?: Blob) => void;
    /** Speech has ended: this is the moment that the question is about. */
    spoke: () => void;
    /** What was spoken is no question. */
    unasked: () => void;
    /** What was understood so far. */
    heard: (text: string) => void;
    /** Whether an answer is being generated. */
    isBusy: () => boolean;
    /** Stops that answer. */
    stop: () => void;
    /** Asks the reader where speech may be turned into text; "" for nowhere. */
    consent: (where: Hearing) => Promise<Hearing | "">;
    problem: (sentence: string) => void;
    changed: () => void;
  };
}

/** What the page lends the voice. */
interface VoiceMeans {
  /** An element of the page: `talk`, `heard`, `wishes` and `consent` are the voice's own. */
  byId: (id: string) => HTMLElement;
  camera: Pick<import("../camera/loader.js").CameraLoader, "mark" | "unmark">;
  /** `sound` stores what was said, when it is sent. */
  ask: (text: string, sound?: (to: Requester) => Promise<Photo>) => void;
  isBusy: () => boolean;
  stop: () => void;
  problem: (sentence: string) => void;
  said: (sentence: string) => void;
}
