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

/** @type {Failure} */
export const UNSAID = { code: 503, status: "ABORTED", message: "The answer ended before it was complete." };
/** @type {Failure} */
export const BROKEN = {
  code: 500,
  status: "INTERNAL",
  message: "This page could not show the answer. Reload to see it.",
};
