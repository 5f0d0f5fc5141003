/** A server that does what a test tells it: each request waits in `asked` until it is answered. */

export const STREAM = "0b9c1b3e-1f5a-4a51-9d28-5a5c8f3a1c11";
export const CONVERSATION = "7d0c6f1e-8a55-4d0e-9a4b-3f1c2b9a0d22";

export const QUESTION = "1c0c6f1e-8a55-4d0e-9a4b-3f1c2b9a0d33";
export const ANSWER = "2d0c6f1e-8a55-4d0e-9a4b-3f1c2b9a0d44";
const NAMES = {
  "X-Stream-Id": STREAM,
  "X-Conversation-Id": CONVERSATION,
  "X-Message-Id": QUESTION,
  "X-Answer-Id": ANSWER,
};

export class FakeServer {
  /** @type {{path: string, options: RequestInit, reply: (response: Response) => void, fail: () => void}[]} */
  asked = [];

  /** @param {string} path @param {RequestInit} [options] @returns {Promise<Response>} */
  request(path, options = {}) {
    return new Promise((resolve, reject) => {
      this.asked.push({
        path,
        options,
        reply: resolve,
        fail: () => reject(new this.Lost("refused")),
      });
      options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
    });
  }

  /** @param {new (message: string) => Error} Lost */
  constructor(Lost) {
    this.Lost = Lost;
  }

  get last() {
    return this.asked[this.asked.length - 1];
  }

  /** The posts to the chat. */
  get posts() {
    return this.asked.filter(({ path }) => path.startsWith("/v2/echat"));
  }
}

/** A body that a test writes bit by bit, cuts or ends. */
export class Body {
  #encoder = new TextEncoder();
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  #controller = /** @type {any} */ (null);

  /** @param {AbortSignal | null | undefined} signal */
  constructor(signal) {
    const stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    signal?.addEventListener("abort", () => this.#try(() => this.#controller.error(signal.reason)));
    const headers = { "Content-Type": "text/event-stream", ...NAMES };
    this.response = new Response(stream, { headers });
  }

  /** @param {string} text */
  write(text) {
    this.bytes(this.#encoder.encode(text));
  }

  /** @param {Uint8Array} bytes */
  bytes(bytes) {
    this.#try(() => this.#controller.enqueue(bytes));
  }

  /** @param {number} seq @param {object} response */
  event(seq, response) {
    this.write(event(seq, response));
  }

  end() {
    this.#try(() => this.#controller.close());
  }

  cut() {
    this.#try(() => this.#controller.error(new TypeError("network error")));
  }

  /** @param {() => void} act */
  #try(act) {
    try {
      act();
    } catch {
      // The reader has gone.
    }
  }
}

/** @param {number} seq @param {object} response */
export const event = (seq, response) => `id: ${STREAM}:${seq}\ndata: ${JSON.stringify(response)}\n\n`;

/** @param {string} text @param {object} [more] */
export const says = (text, more = {}) => ({ candidates: [{ content: { role: "model", parts: [{ text }] }, ...more }] });
export const OK = says("OK");
export const END = says("", { finishReason: "STOP" });
export const DONE = "data: [DONE]\n\n";

/** @param {number} code @param {Record<string, string>} [headers] */
export const error = (code, headers = {}) =>
  new Response(JSON.stringify({ error: { code, status: "X", message: `Error ${code}.` } }), { status: code, headers });
