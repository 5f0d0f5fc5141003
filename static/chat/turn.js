/**
 * One question and its answer: converts the connection's callbacks to actions on the transcript.
 */
import { Connection } from "./connection.js";
import { noticeOf } from "./events.js";
import { Receipt } from "./receipt.js";
import { tabs } from "./tabs.js";
import { t, translated } from "./words.js";

/**
 * The connection of one turn, which sends a receipt.
 * @param {string} key the answer's
 * @param {{session: Requester, clock: Clock}} means
 * @param {Parameters<typeof listenerOf>[1]} told
 */
export function connectionOf(key, means, told) {
  return new Connection({ ...means, tabs, tell: new Receipt(means).listening(listenerOf(key, told)) });
}

/**
 * @param {string} key the answer's
 * @param {{apply: (action: Action) => void, now: () => number, accepted: (conversation: string) => void,
 *          noticed: (sentence: string) => void, ended: (end: End) => void}} told
 * @returns {Listener}
 */
function listenerOf(key, { apply, now, accepted, noticed, ended }) {
  return {
    accepted({ conversation, ...names }) {
      apply({ type: "accepted", key, ...names });
      accepted(conversation);
    },
    received(seq, response) {
      apply({ type: "received", key, seq, response, at: now() });
      const notice = noticeOf(response);
      if (notice) noticed(translated(notice));
    },
    line: (line) => apply({ type: "line", key, line }),
    ended(end, error) {
      apply({ type: "ended", key, end, error });
      ended(end);
    },
  };
}

/**
 * The body of a question, without empty fields.
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

/** A question's parts for the API. @param {string} text @param {Photo[]} photos */
export function contentsOf(text, photos) {
  return [...photos.map(({ url, ...photo }) => photo), ...(text ? [{ text }] : [])];
}

/** The first 80 characters of a longer text: to the end of a word, else of a character with its marks. As the server
 * does it (chat/turns/first_title.py). */
const LONG = /^(?=.{81})(.{40,79}(?= )|.{1,79}(?<!\u200d)(?!\u200d|\p{M}|\p{EMod}|\p{RI})|.{79}).*/u;

/** The first title of a chat that begins with this question. @param {string} text @param {Photo[]} photos */
export function titleOf(text, photos) {
  const said = text.trim().replace(/\s+/g, " ").replace(LONG, "$1…");
  return said || (photos.some(({ mimeType }) => mimeType) ? t("Spoken question") : t("Photo"));
}
