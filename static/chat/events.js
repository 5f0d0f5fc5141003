/**
 * The event stream's format, as in `chat/protocol/events.py`; a test holds the two equal.
 */

export const OK_DATA = '{"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}';
export const DONE = "[DONE]";
export const RUNNING = "running";
/** @type {readonly End[]} */
export const ENDS = ["complete", "stopped", "failed", "interrupted"];
export const NOTICES = ["waiting", "reading", "fallback", "loading"];
export const PICKED_UP = "picked_up";
export const SUPERSEDED_FROM = "superseded_from";
export const SNAPSHOT = "snapshot";

/**
 * What these parts add to an answer: text, thoughts, pictures (`at`: the length of the text before each).
 * @param {GeminiPart[]} parts
 * @returns {{text: string, thoughts: string, pictures: Picture[]}}
 */
export function contentOf(parts) {
  let text = "";
  let thoughts = "";
  const pictures = [];
  for (const part of parts) {
    if (part.thought) thoughts += part.text ?? "";
    else if (part.text) text += part.text;
    else if (part.inlineData) pictures.push({ ...part.inlineData, at: text.length });
  }
  return { text, thoughts, pictures };
}

/** The answer's tokens by the provider's count. @param {Record<string, number> | null | undefined} usage */
export function tokensOf(usage) {
  return usage?.candidatesTokenCount ?? null;
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

/** Whether the answer restarts with this response. @param {GeminiResponse} response */
export function beginsAnew(response) {
  return response.wondercam !== undefined && SUPERSEDED_FROM in response.wondercam;
}

/** Whether this is a snapshot of all events up to it. @param {GeminiResponse} response */
export function isSnapshot(response) {
  return response.wondercam !== undefined && SNAPSHOT in response.wondercam;
}

/**
 * The notice for the user while no text arrives, or "".
 * @param {GeminiResponse} response
 * @returns {string}
 */
export function noticeOf(response) {
  const pickedUp = response.wondercam?.[PICKED_UP];
  if (pickedUp) return String(pickedUp.message);
  const notice = response.wondercam?.notice;
  return notice && NOTICES.includes(notice.kind) ? String(notice.message) : "";
}

/**
 * Parses an event's id, `<stream>:<seq>`; null for other texts.
 * @param {string | undefined} id
 * @returns {{stream: string, seq: number} | null}
 */
export function cursorOf(id) {
  const found = /^([0-9a-f-]{36}):(\d{1,9})$/.exec(id ?? "");
  return found && { stream: found[1], seq: Number(found[2]) };
}
