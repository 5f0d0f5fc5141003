/**
 * A stream's body with its times, as what a replay plays.
 */
import { createParser } from "eventsource-parser";
import { cursorOf, DONE } from "../events.js";

/** The events of a body whose events are preceded by `: t=<ms>`. @param {string} body */
export function recorded(body) {
  /** @type {{at: number, response: GeminiResponse}[]} */
  const events = [];
  let at = 0;
  const parser = createParser({
    onComment(comment) {
      at = Number(/^\s*t=(\d+)$/.exec(comment)?.[1] ?? at);
    },
    onEvent({ id, data }) {
      if (data !== DONE && cursorOf(id)) events.push({ at, response: JSON.parse(data) });
    },
  });
  parser.feed(body);
  return events;
}
