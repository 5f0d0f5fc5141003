/**
 * What is known of a conversation, as a value: (transcript, action) → transcript.
 *
 * Nothing here touches the page or the network. A message that did not change stays the same object, which is
 * how the view knows what to paint.
 */
import { endOf, noticeOf, textOf } from "./events.js";

/** @type {Message} */
const BLANK = {
  key: "",
  id: "",
  role: "model",
  text: "",
  photos: [],
  status: "sending",
  stream: "",
  seq: -1,
  model: "",
  notice: "",
  line: "",
  error: null,
  reason: "",
};

/**
 * A message with every field, from those that are given.
 * @param {Partial<Message>} fields
 * @returns {Message}
 */
export function message(fields) {
  return { ...BLANK, ...fields };
}

/** The key of the question that an answer's key belongs to. @param {string} key */
export const questionOf = (key) => `${key}?`;

/** @param {Message} found @returns {boolean} */
export const isOpen = (found) => found.status === "sending" || found.status === "running";

/**
 * @param {Message} answer
 * @param {number} seq
 * @param {GeminiResponse} response
 * @returns {Message}
 */
function receive(answer, seq, response) {
  if (seq <= answer.seq) return answer;
  if (seq !== answer.seq + 1) throw new RangeError(`Event ${seq} came after ${answer.seq}: one is missing.`);
  if (seq === 0) return { ...answer, seq, status: "running", line: "" };
  const end = endOf(response);
  return {
    ...answer,
    seq,
    text: answer.text + textOf(response),
    model: answer.model || response.modelVersion || "",
    notice: end ? "" : noticeOf(response),
    line: "",
    status: end ?? "running",
    error: response.error ?? null,
    reason: (end === "complete" && response.candidates?.[0]?.finishReason) || "",
  };
}

/** @type {{[T in Action["type"]]: (transcript: Transcript, action: Extract<Action, {type: T}>) => Transcript}} */
const VERBS = {
  asked: (transcript, { key, text, photos, model }) => [
    ...transcript,
    message({ key: questionOf(key), role: "user", text, photos }),
    message({ key, model }),
  ],
  "asked again": (transcript, { key, question, model }) => {
    const at = transcript.findIndex((found) => found.key === question);
    return [...transcript.slice(0, at + 1), message({ key, model })];
  },
  accepted: (transcript, { key, stream }) => change(transcript, key, (answer) => ({ ...answer, stream })),
  received: (transcript, { key, seq, response }) => {
    const next = change(transcript, key, (answer) => receive(answer, seq, response));
    return seq === 0 ? change(next, questionOf(key), (asked) => ({ ...asked, status: "sent" })) : next;
  },
  line: (transcript, { key, line }) => change(transcript, key, (answer) => ({ ...answer, line })),
  ended: (transcript, { key, end, error }) =>
    change(transcript, key, (answer) =>
      isOpen(answer) ? { ...answer, status: end, error, line: "", notice: "" } : { ...answer, line: "", notice: "" },
    ),
  stored: (transcript, { messages }) =>
    messages.map((found, at) => heldOf(transcript, found, messages[at + 1]) ?? found),
  known: (transcript, { key, id }) => change(transcript, key, (found) => ({ ...found, id })),
};

/**
 * The message as the page holds it already: an answer by its stream, a question by its id or by its answer.
 * @param {Transcript} transcript
 * @param {Message} found
 * @param {Message | undefined} next
 */
function heldOf(transcript, found, next) {
  if (found.stream) return transcript.find(({ stream }) => stream === found.stream);
  const answer = next?.stream ? transcript.findIndex(({ stream }) => stream === next.stream) : -1;
  return transcript.find(({ id }, at) => id === found.id || at === answer - 1);
}

/**
 * @param {Transcript} transcript
 * @param {string} key
 * @param {(found: Message) => Message} how
 * @returns {Transcript}
 */
function change(transcript, key, how) {
  const at = transcript.findLastIndex((found) => found.key === key);
  if (at < 0) return transcript;
  const next = how(transcript[at]);
  return next === transcript[at] ? transcript : transcript.with(at, next);
}

/**
 * The transcript after an action. Applying an event twice changes nothing; a missing event is a RangeError.
 * @param {Transcript} transcript
 * @param {Action} action
 * @returns {Transcript}
 */
export function apply(transcript, action) {
  const verb = /** @type {(transcript: Transcript, action: Action) => Transcript} */ (VERBS[action.type]);
  return verb(transcript, action);
}
