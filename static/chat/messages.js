/**
 * The page's own sentences about turns.
 */
import { t, translated } from "./words.js";

export const CUT = t("The connection was lost. Picking the answer up where it stopped…");
export const UNSENT = t("Not sent yet: the server cannot be reached. Trying again…");
export const HELD = t("Something between you and the server holds the stream back, so the answer arrives in steps.");
export const DELETED_ELSEWHERE = t("This chat was deleted in another window or on another device.");
export const UNSEEN = t("This model cannot see photos: choose one that can, or ask in words.");
export const ONLY_READ = t("This model cannot see photos: it is told what can be recognised in them.");

/** The sentence for a temporary error: why, and when the page retries. @param {Failure} failure
 * @param {number} seconds what is left of the wait that the server asked for */
export function later({ message }, seconds) {
  const why = message.replace(/\s*Try again in \d+ s\.$/, "");
  const next = seconds ? t("The page tries again by itself in {seconds} s…", { seconds }) : t("Trying again…");
  return `${translated(why)} ${next}`;
}

const FORBIDDEN = t("The model broke off here: its rules forbid the rest. Say it in other words.");
const COPIED = t(
  "The model broke off here: the rest would have been a copy of another's work. Ask for something else.",
);
const MISUSED = t("The model broke off here: it tried to use a tool, and failed. Try again.");
const PICTURE = t("The model could not make the picture. Try again, or say it in other words.");
/** @type {Record<string, string>} */
const REASONS = {
  "": "",
  STOP: "",
  MAX_TOKENS: t("The answer reached its greatest length. Ask for the rest, or for a shorter answer."),
  SAFETY: FORBIDDEN,
  BLOCKLIST: FORBIDDEN,
  PROHIBITED_CONTENT: FORBIDDEN,
  SPII: FORBIDDEN,
  IMAGE_SAFETY: FORBIDDEN,
  IMAGE_PROHIBITED_CONTENT: FORBIDDEN,
  RECITATION: COPIED,
  IMAGE_RECITATION: COPIED,
  LANGUAGE: t("The model broke off here: it does not know this language. Ask in another one."),
  MALFORMED_FUNCTION_CALL: MISUSED,
  UNEXPECTED_TOOL_CALL: MISUSED,
  TOO_MANY_TOOL_CALLS: MISUSED,
  NO_IMAGE: PICTURE,
  IMAGE_OTHER: PICTURE,
};

/** The sentence for a complete answer with this finishReason; "" for a normal one. @param {string} reason */
export const cutShort = (reason) => REASONS[reason] ?? t("The model broke off here, and does not say why. Try again.");

/** @type {Record<string, string>} */
const ENDINGS = {
  stopped: t("This answer was stopped."),
  interrupted: t("The server went away in the middle of this answer. What it had written is kept."),
  failed: t("This answer failed."),
};

const NOTHING = t("The model ended its answer without a word. Say it in other words, or choose another model.");

/**
 * The sentence under an answer that did not complete, and the controls beside it.
 * @param {Message} message
 * @returns {{sentence: string, can: ("again" | "continue" | "edit")[]}}
 */
export function endingOf({ role, status, error, reason, text, pictures }) {
  if (role === "user") return { sentence: "", can: [] };
  if (status === "complete") {
    const sentence = cutShort(reason) || (text || pictures.length ? "" : NOTHING);
    return { sentence, can: sentence ? [reason === "MAX_TOKENS" ? "continue" : "edit", "again"] : [] };
  }
  if (!ENDINGS[status]) return { sentence: "", can: [] };
  const hasFailed = status === "failed";
  const sentence = (hasFailed && translated(error?.message ?? "")) || ENDINGS[status];
  /** @type {("again" | "continue" | "edit")[]} */
  const can = text ? ["continue"] : [];
  if (hasFailed) can.push("edit");
  return { sentence, can: [...can, "again"] };
}

/** After so many ms without text a model is pausing. */
const PAUSE = 3_000;

/**
 * What a running answer waits for, and since when on the page's clock; "" while it grows, or if the connection has a
 * sentence of its own.
 * @param {Message} message
 * @param {number} now
 */
export function waitingFor({ status, line, text, thoughts, pictures, notice, model, times }, now) {
  const since = times.since ?? now;
  if (line) return { notice: "", since };
  if (status === "sending") return { notice: t("Sending…"), since };
  if (notice) return { notice: translated(notice), since };
  const heard = times.heard ?? now;
  if (text || pictures.length) return { notice: now - heard < PAUSE ? "" : t("The model pauses…"), since: heard };
  if (thoughts) return { notice: t("Thinking…"), since };
  const name = model.replace(/^[^/]*\//, "");
  return { notice: name ? t("Waiting for {model}…", { model: name }) : t("Waiting for the model…"), since };
}

/** @type {Failure} */
export const UNSAID = { code: 503, status: "ABORTED", message: t("The answer ended before it was complete.") };
/** @type {Failure} */
export const BROKEN = {
  code: 500,
  status: "INTERNAL",
  message: t("This page could not show the answer. Reload to see it."),
};
