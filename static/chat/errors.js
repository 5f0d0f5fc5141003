/**
 * The errors of requests: the server refused it, or the connection was lost.
 */
import { t, translated } from "./words.js";

/** @type {Record<number, string>} */
const SENTENCES = {
  401: t("Your session has ended. Reload the page, or sign in again."),
  404: t("This is not here any more."),
  408: t("The server waited too long for the request."),
  413: t("This is too large to send. Shorten the text or use a smaller photo."),
  429: t("Too many requests at once. Wait a moment, then try again."),
};

/** The server responded with an error. */
export class Refused extends Error {
  /** @param {Failure} failure */
  constructor(failure) {
    super(translated(failure.message));
    this.failure = failure;
  }

  /** Whether a retry cannot help: a 4xx other than 408 and 429, or a too long Retry-After. */
  get isFinal() {
    const { code, retryAfter = 0 } = this.failure;
    return (code >= 400 && code < 500 && code !== 408 && code !== 429) || retryAfter > 60;
  }
}

/** The connection was cut, or idle for too long; `held` if a proxy buffers the stream. */
export class Lost extends Error {
  /** @param {string} message @param {{held?: boolean}} [how] */
  constructor(message, { held = false } = {}) {
    super(message);
    this.held = held;
  }
}

/** @param {number} code */
function sentence(code) {
  return (
    SENTENCES[code] ?? (code >= 500 ? t("The server has trouble answering right now.") : t("The server refused this."))
  );
}

/**
 * The error for a response with an error status. Never throws: a body that is no JSON becomes a sentence.
 * @param {Response} response
 * @returns {Promise<Refused>}
 */
export async function refusal(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  const code = response.status;
  try {
    const { error } = await response.json();
    if (typeof error.message === "string") {
      return new Refused({ code, status: String(error.status), message: error.message, retryAfter });
    }
  } catch {
    // A proxy may respond with its own page.
  }
  return new Refused({ code, status: "UNKNOWN", message: sentence(code), retryAfter });
}
