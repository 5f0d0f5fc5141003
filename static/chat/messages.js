/**
 * What the page says by itself: what happened, and what happens next.
 */

export const CUT = "The connection was lost. Picking the answer up where it stopped…";
export const UNSENT = "Not sent yet: the server cannot be reached. Trying again…";
export const HELD = "Something between you and the server holds the stream back, so the answer arrives in steps.";
export const UNSEEN = "This model cannot see photos: choose one that can, or ask in words.";
export const ONLY_READ = "This model cannot see photos: only the text in a photo is read to it.";

/** What a refusal that may not last says: why, and when the page asks again. @param {Failure} failure */
export function later({ message, retryAfter }) {
  const why = message.replace(/\s*Try again in \d+ s\.$/, "");
  return `${why} ${retryAfter ? `The page tries again by itself in ${retryAfter} s…` : "Trying again…"}`;
}

const FORBIDDEN = "The model broke off here: its rules forbid the rest. Say it in other words.";
const COPIED = "The model broke off here: the rest would have been a copy of another's work. Ask for something else.";
const MISUSED = "The model broke off here: it tried to use a tool, and failed. Try again.";
const PICTURE = "The model could not make the picture. Try again, or say it in other words.";
/** @type {Record<string, string>} */
const REASONS = {
  "": "",
  STOP: "",
  MAX_TOKENS: "The answer reached its greatest length. Ask for the rest, or for a shorter answer.",
  SAFETY: FORBIDDEN,
  BLOCKLIST: FORBIDDEN,
  PROHIBITED_CONTENT: FORBIDDEN,
  SPII: FORBIDDEN,
  IMAGE_SAFETY: FORBIDDEN,
  IMAGE_PROHIBITED_CONTENT: FORBIDDEN,
  RECITATION: COPIED,
  IMAGE_RECITATION: COPIED,
  LANGUAGE: "The model broke off here: it does not know this language. Ask in another one.",
  MALFORMED_FUNCTION_CALL: MISUSED,
  UNEXPECTED_TOOL_CALL: MISUSED,
  TOO_MANY_TOOL_CALLS: MISUSED,
  NO_IMAGE: PICTURE,
  IMAGE_OTHER: PICTURE,
};

/** What to say of a complete answer that ended for this reason; "" for a good one. @param {string} reason */
export const cutShort = (reason) => REASONS[reason] ?? "The model broke off here, and does not say why. Try again.";

/** @type {Failure} */
export const UNSAID = { code: 503, status: "ABORTED", message: "The answer ended before it was complete." };
/** @type {Failure} */
export const BROKEN = {
  code: 500,
  status: "INTERNAL",
  message: "This page could not show the answer. Reload to see it.",
};
