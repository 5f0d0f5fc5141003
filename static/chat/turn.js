/**
 * One question and its answer: what its connection tells becomes actions on the transcript.
 */
import { noticeOf } from "./events.js";

/**
 * @param {string} key the answer's
 * @param {{apply: (action: Action) => void, now: () => number, accepted: (conversation: string) => void,
 *          noticed: (sentence: string) => void, ended: (end: End) => void}} told
 * @returns {Listener}
 */
export function listenerOf(key, { apply, now, accepted, noticed, ended }) {
  return {
    accepted({ conversation, ...names }) {
      apply({ type: "accepted", key, ...names });
      accepted(conversation);
    },
    received(seq, response) {
      apply({ type: "received", key, seq, response, at: now() });
      const notice = noticeOf(response);
      if (notice) noticed(notice);
    },
    line: (line) => apply({ type: "line", key, line }),
    ended(end, error) {
      apply({ type: "ended", key, end, error });
      ended(end);
    },
  };
}

/**
 * The body of a question: without the fields that say nothing.
 * @param {string} key its request_id
 * @param {string} conversation
 * @param {object} asked
 * @returns {{request_id: string}}
 */
export function bodyOf(key, conversation, asked) {
  const body = { ...asked, conversation_id: conversation, request_id: key, language: navigator.language };
  return /** @type {{request_id: string}} */ (
    Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ""))
  );
}
