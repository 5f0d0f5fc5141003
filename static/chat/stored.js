/**
 * What the server has stored of a conversation, as the page's messages.
 */
import { textOf } from "./events.js";
import { message } from "./transcript.js";

/**
 * The branch that ends with the newest message, oldest first, from `GET /v2/conversations/<id>`. Answers come without
 * text where they still run: their streams are followed.
 * @param {Stored[]} messages in the order they were made
 * @returns {Message[]}
 */
export function branch(messages) {
  const known = new Map(messages.map((found) => [found.id, found]));
  const found = [];
  for (let step = messages.at(-1); step; step = known.get(step.parent_id ?? "")) found.unshift(shown(step));
  return found;
}

/** @param {Stored} stored @returns {Message} */
function shown({ id, role, parts, stream }) {
  const running = stream?.status === "running";
  return message({
    key: id,
    id,
    role,
    text: running ? "" : textOf({ candidates: [{ content: { parts } }] }),
    photos: parts.flatMap(({ attachment }) => (attachment ? [{ attachment }] : [])),
    status: stream?.status ?? (role === "user" ? "sent" : "complete"),
    stream: stream?.id ?? "",
    seq: running || !stream ? -1 : stream.last_seq,
    model: stream?.model ?? "",
    error: stream?.error ?? null,
  });
}

/** A message from its rendered article. @param {HTMLElement} element @returns {Message} */
export function rendered(element) {
  const { key, id, role, status, stream, seq, model, error, reason } = element.dataset;
  const images = /** @type {HTMLImageElement[]} */ ([...element.querySelectorAll("[data-attachment]")]);
  return message(
    /** @type {Message} */ ({
      key,
      id,
      role,
      status,
      stream,
      model,
      reason,
      seq: Number(seq),
      text: element.querySelector("[data-part=text]")?.textContent ?? "",
      photos: images.map((image) => ({ attachment: image.dataset.attachment ?? "" })),
      error: error ? { code: 0, status: "", message: error } : null,
    }),
  );
}
