/**
 * What can go wrong with a request: the server refused it, or nothing is known because the line was lost.
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

/** The server's answer was no. */
export class Refused extends Error {
  /** @param {Failure} failure */
  constructor(failure) {
    super(translated(failure.message));
    this.failure = failure;
  }

  /** Whether asking again cannot help: a 4xx other than 408 and 429, or a wait that no reader would sit through. */
  get isFinal() {
    const { code, retryAfter = 0 } = this.failure;
    return (code >= 400 && code < 500 && code !== 408 && code !== 429) || retryAfter > 60;
  }
}

/** The connection went away, or was silent for too long; `held` where something keeps the stream back. */
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
 * The refusal that a response with an error status stands for. Never throws: a body that is no JSON becomes a sentence.
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
    // Whatever stands between may answer with a page of its own.
  }
  return new Refused({ code, status: "UNKNOWN", message: sentence(code), retryAfter });
}
