/**
 * One message as a value, from its stored form and the events of its stream.
 */
import { beginsAnew, contentOf, endOf, isSnapshot, noticeOf, tokensOf } from "./events.js";

/** @type {Times} */
const UNTIMED = { began: null, since: null, heard: null, thought: null, first: null, total: null, tokens: null };
/** @type {Message} */
const BLANK = {
  key: "",
  id: "",
  parent: "",
  role: "model",
  text: "",
  thoughts: "",
  photos: [],
  pictures: [],
  status: "sending",
  stream: "",
  seq: -1,
  anew: 0,
  model: "",
  notice: "",
  line: "",
  error: null,
  reason: "",
  times: UNTIMED,
  facts: {},
};

/**
 * A message with default values for missing fields.
 * @param {Partial<Message>} fields
 * @returns {Message}
 */
export function message(fields) {
  return { ...BLANK, ...fields };
}

/** An answer that was just requested. @param {Partial<Message> & {at: number}} fields @returns {Message} */
export function awaited({ at, ...fields }) {
  return message({ ...fields, times: { ...UNTIMED, began: at, since: at, heard: at } });
}

/** @param {Message} found @returns {boolean} */
export const isOpen = (found) => found.status === "sending" || found.status === "running";

/**
 * A stored message. A running answer has no text yet: its stream is read from the start.
 * @param {Stored} stored
 * @param {string} parent the key of the message that it follows
 * @param {number} at the page's clock
 * @returns {Message}
 */
export function fromStored({ id, role, parts, stream, ...more }, parent, at) {
  const isRunning = stream?.status === "running";
  return message({
    key: id,
    id,
    parent,
    role,
    ...(isRunning ? {} : added(BLANK, parts)),
    photos: parts.flatMap(({ attachment, mimeType }) =>
      attachment ? [mimeType ? { attachment, mimeType } : { attachment }] : [],
    ),
    status: stream?.status ?? (role === "user" ? "sent" : "complete"),
    stream: stream?.id ?? "",
    seq: isRunning || !stream ? -1 : stream.last_seq,
    model: stream?.model ?? "",
    error: stream?.error ?? null,
    reason: stream?.reason ?? "",
    times: {
      began: null,
      since: isRunning ? at : null,
      heard: isRunning ? at : null,
      thought: stream?.thought_ms ?? null,
      first: stream?.first_token_ms ?? null,
      total: stream?.duration_ms ?? null,
      tokens: tokensOf(stream?.usage),
    },
    facts: factsOf(more),
  });
}

/** The further fields of a stored message. @param {Facts} stored @returns {Facts} */
export function factsOf({ id, role, parts, stream, parent_id, text, ...facts }) {
  return facts;
}

/**
 * The answer after event `seq`. Earlier events are ignored; a gap throws a RangeError.
 * @param {Message} answer
 * @param {number} seq
 * @param {GeminiResponse} response
 * @param {number} at the page's clock
 * @returns {Message}
 */
export function receive(answer, seq, response, at) {
  if (seq <= answer.seq) return answer;
  if (seq !== answer.seq + 1 && !isSnapshot(response))
    throw new RangeError(`Event ${seq} came after ${answer.seq}: one is missing.`);
  if (seq === 0) return { ...answer, seq, status: "running", line: "", times: { ...answer.times, heard: at } };
  const end = endOf(response);
  const before = beginsAnew(response) ? { ...answer, text: "", thoughts: "", pictures: [], anew: seq } : answer;
  const content = added(before, response.candidates?.[0]?.content?.parts ?? []);
  return {
    ...before,
    ...content,
    seq,
    model: answer.model || response.modelVersion || "",
    notice: end ? "" : noticeOf(response),
    line: "",
    status: end ?? "running",
    error: response.error ?? null,
    reason: (end === "complete" && response.candidates?.[0]?.finishReason) || "",
    times: timed(before, content, response, at, end !== null),
  };
}

/** The answer with the end of its connection, unless the stream has ended it. @param {Message} answer @param {End} end
 * @param {Failure | null} error @returns {Message} */
export function ended(answer, end, error) {
  const quiet = { ...answer, line: "", notice: "" };
  return isOpen(answer) ? { ...quiet, status: end, error } : quiet;
}

/**
 * @param {Message} answer
 * @param {GeminiPart[]} parts
 * @returns {Pick<Message, "text" | "thoughts" | "pictures">}
 */
function added(answer, parts) {
  const { text, thoughts, pictures } = contentOf(parts);
  const before = answer.text.length;
  return {
    text: answer.text + text,
    thoughts: answer.thoughts + thoughts,
    pictures: pictures.length
      ? [...answer.pictures, ...pictures.map((picture) => ({ ...picture, at: before + picture.at }))]
      : answer.pictures,
  };
}

/** @param {Message} answer @param {Pick<Message, "text" | "thoughts">} content @param {GeminiResponse} response
 * @param {number} at @param {boolean} isEnd @returns {Times} */
function timed({ times, text, thoughts }, content, response, at, isEnd) {
  const heard = { ...times, heard: at };
  if (times.began === null) return heard;
  const passed = at - times.began;
  const isNew = !text && !thoughts && (content.text || content.thoughts);
  if (isNew) heard.first = passed;
  if (content.thoughts !== thoughts) heard.thought = passed;
  return isEnd ? { ...heard, total: passed, tokens: tokensOf(response.usageMetadata) } : heard;
}
