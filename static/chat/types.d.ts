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

/** One event's data: Gemini's `GenerateContentResponse`, or an error, with our few words beside it. */
interface GeminiResponse {
  candidates?: { content?: { role?: string; parts?: GeminiPart[] }; finishReason?: string; finishMessage?: string }[];
  usageMetadata?: Record<string, number>;
  modelVersion?: string;
  error?: Failure;
  wondercam?: {
    end?: string;
    notice?: { kind: string; message: string };
    /** The answer's worker died, and another one goes on. */
    picked_up?: { message: string };
    /** What came from this event on up to this one counts no more. */
    superseded_from?: number;
    /** This is what the events from that seq to this one add up to. */
    snapshot?: number;
  };
}

type End = "complete" | "stopped" | "failed" | "interrupted";

/** A photo of a message: kept by the server under `attachment`; `url` is the page's own preview, if it has one. With a
 * `mimeType` it is a sound. */
interface Photo {
  attachment: string;
  mimeType?: string;
  url?: string;
}

/** A picture made by the model, in base64; `at` is how much of the answer's text stands before it. */
interface Picture {
  mimeType: string;
  data: string;
  at: number;
}

/** One thing that happened, as a feed tells it. */
interface FeedLine {
  type: string;
  conversation: string;
  stream?: string;
  title?: string;
  pinned?: boolean;
  system?: string;
  /** The place that the feed was asked for is not in it any more. */
  missed?: boolean;
}

/** An event of an event stream, as it was sent. */
interface SentEvent {
  id?: string;
  data: string;
}

/** The tabs of one browser, as one of them reaches the others. */
interface Tabs {
  locks: Pick<LockManager, "request">;
  channel(name: string): Pick<BroadcastChannel, "postMessage" | "addEventListener" | "close">;
}

interface FeedReader {
  place: string;
  run(signal: AbortSignal): Promise<void>;
  look(signal: AbortSignal): Promise<void>;
}

/** One message as the page knows it. `key` is the page's name for it, `id` the server's once it is known. */
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
  /** The event at which the answer began anew; 0 where it did not. */
  anew: number;
  model: string;
  /** What the server says while no text comes. */
  notice: string;
  /** What the connection says about itself. */
  line: string;
  error: Failure | null;
  /** Of a complete answer: Gemini's finishReason. */
  reason: string;
  times: Times;
  /** What else the server keeps with the message, by name. */
  facts: Facts;
}

/** Fields of a message that no reducer looks into: each belongs to the module that shows it. */
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

/** A message as the server gives it: `chat/views/messages.py`. */
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
  /** What is not named here is among the message's `facts`. */
  [fact: string]: unknown;
}

type State = "idle" | "sending" | "streaming" | "waiting" | "polling" | "ended";

/** What sends a request with the reader's token: a Session. */
interface Requester {
  request(path: string, options?: RequestInit): Promise<Response>;
}

/** Who asks the server for JSON. */
interface JsonRequester {
  json(method: string, path: string, body?: object): Promise<unknown>;
}

/** What a connection tells. */
interface Listener {
  accepted(names: { stream: string; conversation: string; question: string; answer: string }): void;
  received(seq: number, response: GeminiResponse): void;
  line(line: string): void;
  ended(end: End, error: Failure | null): void;
}

/** Time as the connection sees it: handed in, so that a test can move it by hand. Milliseconds. */
interface Clock {
  now(): number;
  after(delay: number, call: () => void): () => void;
}

declare module "highlight" {
  export interface Leaf {
    scope?: string;
    children: (Leaf | string)[];
  }
  const highlighter: {
    getLanguage(name: string): object | undefined;
    highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { _emitter: { rootNode: Leaf } };
  };
  export default highlighter;
}

declare module "answer" {
  export const AnswerText: typeof import("./answer_text.js").AnswerText;
}

/** A chat as the list has it: `chat/views/conversations.py`. Times as ISO 8601 in UTC. */
interface ChatRow {
  id: string;
  title: string;
  pinned: boolean;
  updated_at: string;
  /** Whether it is being answered, as far as the page knows. */
  running?: boolean;
  /** In a search: what was said around the word. */
  excerpt?: string;
}

declare module "switcher" {
  export const Switcher: typeof import("./switcher.js").Switcher;
  export const save: typeof import("./switcher.js").save;
}

declare module "photo-file" {
  export const prepared: typeof import("./photo_file.js").prepared;
}

declare module "replay" {
  export const open: typeof import("./replay/own.js").open;
}

declare module "actions" {
  export const Actions: typeof import("./actions.js").Actions;
}

declare module "title-field" {
  export const typedInto: typeof import("./title_field.js").typedInto;
}

declare module "settings" {
  export const Settings: typeof import("./settings.js").Settings;
}

declare module "photos-shown" {
  export const PhotoLoader: typeof import("./camera/photo_loader.js").PhotoLoader;
}

declare module "feedback" {
  export const Feedback: typeof import("./feedback.js").Feedback;
}

declare module "shared-feed" {
  export const sharedFeed: typeof import("./shared_feed.js").sharedFeed;
}

declare module "message-queue" {
  export const MessageQueue: typeof import("./message_queue.js").MessageQueue;
}

declare module "instruction" {
  export const edit: typeof import("./instruction.js").edit;
  export const keep: typeof import("./instruction.js").keep;
}

declare module "installation" {
  export const install: typeof import("./installation.js").install;
}

/** What the queue of a chat works with: the page's own objects. */
type QueueMeans = ConstructorParameters<typeof import("./message_queue.js").MessageQueue>[1];
