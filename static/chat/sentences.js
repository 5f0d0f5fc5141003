/**
 * What the page says of the line to the server: what happened, and what happens next.
 */

export const CUT = "The connection was lost. Picking the answer up where it stopped…";
export const UNSENT = "Not sent yet: the server cannot be reached. Trying again…";
export const HELD = "Something between you and the server holds the stream back, so the answer arrives in steps.";
/** @type {Failure} */
export const UNSAID = { code: 503, status: "ABORTED", message: "The answer ended before it was complete." };
/** @type {Failure} */
export const BROKEN = {
  code: 500,
  status: "INTERNAL",
  message: "This page could not show the answer. Reload to see it.",
};
