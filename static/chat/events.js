/**
 * The vocabulary of the event stream, as `chat/protocol/events.py` has it; a test holds the two equal.
 */

export const OK_DATA = '{"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}';
export const DONE = "[DONE]";
export const RUNNING = "running";
/** @type {readonly End[]} */
export const ENDS = ["complete", "stopped", "failed", "interrupted"];
export const NOTICES = ["waiting", "reading", "fallback"];

/**
 * What this response adds to the answer's text; thoughts are not part of it.
 * @param {GeminiResponse} response
 * @returns {string}
 */
export function textOf(response) {
  const parts = response.candidates?.[0]?.content?.parts ?? [];
  return parts.map((part) => (part.thought ? "" : (part.text ?? ""))).join("");
}

/**
 * How the stream ended, if this response is its last event; else null.
 * @param {GeminiResponse} response
 * @returns {End | null}
 */
export function endOf(response) {
  const said = ENDS.find((end) => end === response.wondercam?.end);
  if (said) return said;
  if (response.error) return "failed";
  return response.candidates?.[0]?.finishReason ? "complete" : null;
}

/**
 * What the reader should know while no text comes; "" for nothing.
 * @param {GeminiResponse} response
 * @returns {string}
 */
export function noticeOf(response) {
  const notice = response.wondercam?.notice;
  return notice && NOTICES.includes(notice.kind) ? String(notice.message) : "";
}

/**
 * The two halves of an event's id, `<stream>:<seq>`; null for anything else.
 * @param {string | undefined} id
 * @returns {{stream: string, seq: number} | null}
 */
export function cursorOf(id) {
  const found = /^([0-9a-f-]{36}):(\d{1,9})$/.exec(id ?? "");
  return found && { stream: found[1], seq: Number(found[2]) };
}
