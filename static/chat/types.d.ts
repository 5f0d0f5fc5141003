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
}

/** One event's data: Gemini's `GenerateContentResponse`, or an error, with our few words beside it. */
interface GeminiResponse {
  candidates?: { content?: { role?: string; parts?: GeminiPart[] }; finishReason?: string; finishMessage?: string }[];
  usageMetadata?: Record<string, number>;
  modelVersion?: string;
  error?: Failure;
  wondercam?: { end?: string; notice?: { kind: string; message: string } };
}

type End = "complete" | "stopped" | "failed" | "interrupted";

/** A photo of a message: kept by the server under `attachment`; `url` is the page's own preview, if it has one. */
interface Photo {
  attachment: string;
  url?: string;
}

/** One message as the page knows it. `key` is the page's name for it, `id` the server's once it is known. */
interface Message {
  key: string;
  id: string;
  role: "user" | "model";
  text: string;
  photos: Photo[];
  /** Of a question: sending or sent. Of an answer: sending, running, or how it ended. */
  status: "sending" | "sent" | "running" | End;
  stream: string;
  /** The last event that is part of `text`; -1 before the first. */
  seq: number;
  model: string;
  /** What the server says while no text comes. */
  notice: string;
  /** What the connection says about itself. */
  line: string;
  error: Failure | null;
  /** Of a complete answer: Gemini's finishReason. */
  reason: string;
}

type Transcript = readonly Message[];

type Action =
  | { type: "asked"; key: string; text: string; photos: Photo[]; model: string }
  | { type: "asked again"; key: string; question: string; model: string }
  | { type: "accepted"; key: string; stream: string }
  | { type: "received"; key: string; seq: number; response: GeminiResponse }
  | { type: "line"; key: string; line: string }
  | { type: "ended"; key: string; end: End; error: Failure | null }
  | { type: "known"; key: string; id: string }
  | { type: "stored"; messages: Message[] };

/** A message as `GET /v2/conversations/<id>` gives it. */
interface Stored {
  id: string;
  parent_id: string | null;
  role: "user" | "model";
  parts: (GeminiPart & { attachment?: string })[];
  stream: { id: string; status: "running" | End; model: string; last_seq: number; error: Failure | null } | null;
}

type State = "idle" | "sending" | "streaming" | "waiting" | "polling" | "ended";

/** What a connection tells. */
interface Listener {
  accepted(stream: string, conversation: string): void;
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
