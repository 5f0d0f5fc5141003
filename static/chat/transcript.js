/**
 * The state of a conversation, as a reducer: (transcript, action) → transcript.
 *
 * It does not access the page or the network. Unchanged messages stay the same objects, by which the view knows what to
 * paint.
 */
import { awaited, ended, factsOf, fromStored, message, receive } from "./message.js";

/** @type {Transcript} */
export const EMPTY = { messages: [], leaf: "" };

/** The key of the question that an answer's key belongs to. @param {string} key */
export const questionOf = (key) => `${key}?`;

/** @type {{[T in Action["type"]]: (transcript: Transcript, action: Extract<Action, {type: T}>) => Transcript}} */
const VERBS = {
  stored,
  asked: (transcript, { key, parent, text, photos, model, at }) =>
    add(
      transcript,
      message({ key: questionOf(key), parent, role: "user", text, photos }),
      awaited({ key, parent: questionOf(key), model, at }),
    ),
  "asked again": (transcript, { key, question, model, at }) =>
    add(transcript, awaited({ key, parent: question, model, at })),
  withdrawn: ({ messages, leaf }, { keys }) => {
    const at = messages.find(({ key }) => key === leaf);
    const kept = messages.filter(({ key }) => !keys.includes(key));
    let up = at;
    while (up && keys.includes(up.key)) up = messages.find(({ key }) => key === up?.parent);
    return { messages: kept, leaf: up?.key ?? "" };
  },
  accepted: (transcript, { key, stream, question, answer }) => {
    const known = change(transcript, key, (found) => ({ ...found, stream, id: answer }));
    return change(known, parentOf(known, key), (found) => (found.id ? found : { ...found, id: question }));
  },
  received: (transcript, { key, seq, response, at }) => {
    const next = change(transcript, key, (answer) => receive(answer, seq, response, at));
    return seq > 0 ? next : asked(next, key, "sent");
  },
  line: (transcript, { key, line }) =>
    change(transcript, key, (answer) => (answer.line === line ? answer : { ...answer, line })),
  ended: (transcript, { key, end, error }) => {
    const next = change(transcript, key, (answer) => ended(answer, end, error));
    return end === "failed" ? asked(next, key, end) : next;
  },
  shown: (transcript, { leaf }) => ({ ...transcript, leaf }),
  noted: (transcript, { key, facts }) =>
    change(transcript, key, (found) => ({ ...found, facts: { ...found.facts, ...facts } })),
};

/**
 * Adds messages that only the server has, and shows the newest. Of messages that the page has, the facts are
 * updated.
 * @param {Transcript} transcript
 * @param {{messages: Stored[], at: number}} action
 * @returns {Transcript}
 */
function stored(transcript, { messages, at }) {
  const keys = new Map(transcript.messages.filter(({ id }) => id).map(({ id, key }) => [id, key]));
  const streams = new Set(transcript.messages.map(({ stream }) => stream));
  const added = [];
  let known = transcript;
  for (const found of messages) {
    const key = keys.get(found.id);
    if (key) known = change(known, key, (before) => withFacts(before, factsOf(found)));
    if (key || (found.stream && streams.has(found.stream.id))) continue;
    keys.set(found.id, found.id);
    added.push(fromStored(found, keys.get(found.parent_id ?? "") ?? "", at));
  }
  return added.length ? add(known, ...added) : known;
}

/** @param {Message} found @param {Facts} facts */
function withFacts(found, facts) {
  return JSON.stringify(found.facts) === JSON.stringify(facts) ? found : { ...found, facts };
}

/** @param {Transcript} transcript @param {Message[]} added @returns {Transcript} */
function add({ messages }, ...added) {
  return { messages: [...messages, ...added], leaf: added[added.length - 1].key };
}

/** The transcript after a pending question was stored or refused.
 * @param {Transcript} transcript @param {string} key its answer's @param {"sent" | "failed"} status */
const asked = (transcript, key, status) =>
  change(transcript, parentOf(transcript, key), (found) => (found.status === "sending" ? { ...found, status } : found));

/** @param {Transcript} transcript @param {string} key */
function parentOf({ messages }, key) {
  return messages.find((found) => found.key === key)?.parent ?? "";
}

/**
 * @param {Transcript} transcript
 * @param {string} key
 * @param {(found: Message) => Message} how
 * @returns {Transcript}
 */
function change(transcript, key, how) {
  const { messages } = transcript;
  const at = messages.findLastIndex((found) => found.key === key);
  if (at < 0) return transcript;
  const next = how(messages[at]);
  return next === messages[at] ? transcript : { ...transcript, messages: messages.with(at, next) };
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
