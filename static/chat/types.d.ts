/** Shapes that several modules share. Types only: nothing here reaches a browser. */

/** Google's error model; `retryAfter` in seconds, from the header of the same name. */
interface Failure {
  code: number;
  status: string;
  message: string;
  retryAfter?: number;
}

interface GeminiPart {
  text?: string;
  thought?: boolean;
  inlineData?: { mimeType: string; data: string };
}

/** One event's data: Gemini's `GenerateContentResponse`, or an error, with WonderCam's own fields. */
interface GeminiResponse {
  candidates?: { content?: { role?: string; parts?: GeminiPart[] }; finishReason?: string; finishMessage?: string }[];
  usageMetadata?: Record<string, number>;
  modelVersion?: string;
  error?: Failure;
  wondercam?: {
    end?: string;
    notice?: { kind: string; message: string };
    /** Another worker continues the answer. */
    picked_up?: { message: string };
    /** The answer restarts: events from this seq up to this one are void. */
    superseded_from?: number;
    /** This is a snapshot of the events from that seq up to this one. */
    snapshot?: number;
  };
}

type End = "complete" | "stopped" | "failed" | "interrupted";

/** A photo of a message: `attachment` is its id on the server; `url` is the page's own preview, if it has one. With a
 * `mimeType` it is a sound. */
interface Photo {
  attachment: string;
  mimeType?: string;
  url?: string;
}

/** A picture by the model, in base64; `at` is the length of the answer's text before it. */
interface Picture {
  mimeType: string;
  data: string;
  at: number;
}

/** One line of the feed. */
interface FeedLine {
  type: string;
  conversation: string;
  stream?: string;
  title?: string;
  pinned?: boolean;
  system?: string;
  /** The requested cursor is not in the feed any more. */
  missed?: boolean;
}

/** An event of an event stream, as it was sent. */
interface SentEvent {
  id?: string;
  data: string;
}

/** Locks and channels between the tabs of one browser. */
interface Tabs {
  locks: Pick<LockManager, "request">;
  channel(name: string): Pick<BroadcastChannel, "postMessage" | "addEventListener" | "close">;
}

interface FeedReader {
  place: string;
  run(signal: AbortSignal): Promise<void>;
  look(signal: AbortSignal): Promise<void>;
}

/** One message on the page. `key` is the page's own id, `id` the server's once it is known. */
interface Message {
  key: string;
  id: string;
  /** The key of the message that this one follows; "" for the first. */
  parent: string;
  role: "user" | "model";
  text: string;
  thoughts: string;
  photos: Photo[];
  pictures: readonly Picture[];
  /** Of a question: sending or sent. Of an answer: sending, running, or how it ended. */
  status: "sending" | "sent" | "running" | End;
  stream: string;
  /** The last event that is part of `text`; -1 before the first. */
  seq: number;
  /** The event at which the answer restarted; 0 if it did not. */
  anew: number;
  model: string;
  /** The server's notice while no text arrives. */
  notice: string;
  /** The sentence about the connection's state. */
  line: string;
  error: Failure | null;
  /** Of a complete answer: Gemini's finishReason. */
  reason: string;
  times: Times;
  /** Further fields of the stored message, by name. */
  facts: Facts;
}

/** Fields of a message that reducers ignore: each belongs to the module that shows it. */
type Facts = Readonly<Record<string, unknown>>;

/**
 * Of an answer, in ms since its question was sent; null where it is not known. On the page's clock are `began`, and
 * while the answer is awaited `since` (the page waits for it) and `heard` (the last event).
 */
interface Times {
  began: number | null;
  since: number | null;
  heard: number | null;
  thought: number | null;
  first: number | null;
  total: number | null;
  /** Tokens of the answer, as the provider counts them. */
  tokens: number | null;
}

/** A conversation is a tree of messages, oldest first. Shown is the path to `leaf`, a message's key. */
interface Transcript {
  readonly messages: readonly Message[];
  readonly leaf: string;
}

type Action =
  | { type: "stored"; messages: Stored[]; at: number }
  | { type: "asked"; key: string; parent: string; text: string; photos: Photo[]; model: string; at: number }
  | { type: "asked again"; key: string; question: string; model: string; at: number }
  | { type: "withdrawn"; keys: string[] }
  | { type: "accepted"; key: string; stream: string; question: string; answer: string }
  | { type: "received"; key: string; seq: number; response: GeminiResponse; at: number }
  | { type: "line"; key: string; line: string }
  | { type: "ended"; key: string; end: End; error: Failure | null }
  | { type: "shown"; leaf: string }
  | { type: "noted"; key: string; facts: Facts };

/** A stored message: `chat/views/messages.py`. */
interface Stored {
  id: string;
  parent_id: string | null;
  role: "user" | "model";
  parts: (GeminiPart & { attachment?: string; mimeType?: string })[];
  stream: {
    id: string;
    status: "running" | End;
    model: string;
    last_seq: number;
    error: Failure | null;
    reason: string | null;
    usage: Record<string, number> | null;
    first_token_ms: number | null;
    thought_ms: number | null;
    duration_ms: number | null;
  } | null;
  /** Other fields are in the message's `facts`. */
  [fact: string]: unknown;
}

type State = "idle" | "sending" | "streaming" | "waiting" | "polling" | "ended";

/** Sends requests with the access token: a Session. */
interface Requester {
  request(path: string, options?: RequestInit): Promise<Response>;
}

/** Sends requests for JSON. */
interface JsonRequester {
  json(method: string, path: string, body?: object): Promise<unknown>;
}

/** The callbacks of a connection. */
interface Listener {
  accepted(names: { stream: string; conversation: string; question: string; answer: string }): void;
  received(seq: number, response: GeminiResponse): void;
  line(line: string): void;
  ended(end: End, error: Failure | null): void;
}

/** A clock in milliseconds, which is injected so that tests can use their own. */
interface Clock {
  now(): number;
  after(delay: number, call: () => void): () => void;
}

declare module "highlight" {
  export interface Leaf {
    scope?: string;
    children: (Leaf | string)[];
  }
  export type Grammar = (highlighter: unknown) => { aliases?: string[] };
  const highlighter: {
    registerLanguage(name: string, grammar: Grammar): void;
    getLanguage(name: string): object | undefined;
    highlight(code: string, options: { language: string; ignoreIllegals?: boolean }): { _emitter: { rootNode: Leaf } };
  };
  export default highlighter;
}

/** A chat in the list: `chat/views/conversations.py`. Times are ISO 8601 in UTC. */
interface ChatRow {
  id: string;
  title: string;
  pinned: boolean;
  updated_at: string;
  /** Whether it has a running answer. */
  running?: boolean;
  /** In search results: the text around the match. */
  excerpt?: string;
}

/** The modules that are loaded on first use (later.js), by their names in the import map. */
interface Modules {
  actions: typeof import("./actions.js");
  answer: typeof import("./answer_text.js");
  camera: typeof import("./camera/viewfinder.js");
  countdown: typeof import("./countdown.js");
  deletion: typeof import("./deletion.js");
  feedback: typeof import("./feedback.js");
  installation: typeof import("./installation.js");
  instruction: typeof import("./instruction.js");
  languages: typeof import("./languages.js");
  "message-queue": typeof import("./message_queue.js");
  "own-keys": typeof import("./own_keys.js");
  photo: typeof import("./camera/photo_viewer.js");
  photos: typeof import("./photos.js");
  "photos-shown": typeof import("./camera/photo_loader.js");
  printing: typeof import("./printing.js");
  replay: typeof import("./replay/own.js");
  settings: typeof import("./settings.js");
  "shared-feed": typeof import("./shared_feed.js");
  switcher: typeof import("./switcher.js");
  temml: typeof import("temml");
  "row-tools": typeof import("./row_tools.js");
  voice: typeof import("./voice/voice.js");
}

/** The objects of the page that the message queue uses. */
type QueueMeans = ConstructorParameters<typeof import("./message_queue.js").MessageQueue>[1];
