/**
 * Loads the modules of the message queue when there are queued messages.
 */
import { Later } from "./later.js";

export class QueueLoader {
  #place;
  #means;
  #queue;

  /** @param {HTMLElement} place @param {QueueMeans} means */
  constructor(place, means) {
    this.#place = place;
    this.#means = means;
    this.#queue = new Later("message-queue", ({ MessageQueue }) => new MessageQueue(place, means));
  }

  /** Queues a message after the running answer. @param {string} text */
  add(text) {
    const { problem } = this.#means;
    void this.#queue.get().then(
      (queue) => queue.add(text),
      ({ message }) => problem(message),
    );
  }

  /** Called when another chat is shown. @param {number} count its queued messages */
  opened(count) {
    this.#place.hidden = true;
    if (count) this.heard("queue");
  }

  /** @param {string} type what the feed tells of the chat that is shown */
  heard(type) {
    if (type !== "queue" && this.#place.hidden) return;
    const shown = this.#queue.get().then((queue) => queue.show());
    void shown.catch(() => {}); // the next line mends it
  }
}
