/**
 * Deletes a chat in two steps: from the list at once, and on the server when the time to undo is over.
 *
 * The pending one is in this tab's storage: if the page is closed, it is deleted then, or by the tab's next page.
 */

import { refusal } from "./errors.js";

/** How long it can be undone, in ms. */
export const UNDO = 10_000;
const NAME = "deleting";

export class Deletion {
  #session;
  #clock;
  #storage;
  #told;
  /** @type {ChatRow | null} */
  #row = null;
  #cancel = () => {};

  /**
   * @param {{session: Requester, clock: Clock, storage: Storage,
   *          told: {waits: (row: ChatRow | null) => void, back: (row: ChatRow) => void,
   *                 problem: (sentence: string) => void}}} means `waits`: the chat that can be restored, or null
   */
  constructor({ session, clock, storage, told }) {
    this.#session = session;
    this.#clock = clock;
    this.#storage = storage;
    this.#told = told;
  }

  /** Deletes the chat that an earlier page of this tab has left pending. @returns {string} its id, or "" */
  resume() {
    const id = this.#kept();
    if (id) void this.#make(id).catch(() => {}); // it is asked for once more by the next page
    return id;
  }

  /** Deletes a chat unless it is undone in time. An earlier pending one is deleted now. @param {ChatRow} row */
  start(row) {
    this.finish();
    this.#row = row;
    this.#keep(row.id);
    this.#cancel = this.#clock.after(UNDO, () => this.finish());
    this.#told.waits(row);
  }

  undo() {
    const row = this.#end();
    this.#keep("");
    if (row) this.#told.back(row);
  }

  /** Deletes the pending chat now. */
  finish() {
    const row = this.#end();
    if (!row) return;
    void this.#make(row.id).catch((error) => {
      this.#keep("");
      this.#told.back(row);
      this.#told.problem(error.message);
    });
  }

  /** @returns {ChatRow | null} the chat that was pending */
  #end() {
    const row = this.#row;
    this.#row = null;
    this.#cancel();
    if (row) this.#told.waits(null);
    return row;
  }

  /** @param {string} id */
  async #make(id) {
    // `keepalive`: the page may be closing.
    const response = await this.#session.request(`/v2/conversations/${id}`, { method: "DELETE", keepalive: true });
    if (!response.ok && response.status !== 404) throw await refusal(response);
    if (this.#kept() === id) this.#keep("");
  }

  #kept() {
    try {
      return this.#storage.getItem(NAME) ?? "";
    } catch {
      return ""; // a forbidden storage costs the second chance, not the deletion
    }
  }

  /** @param {string} id */
  #keep(id) {
    try {
      if (id) this.#storage.setItem(NAME, id);
      else this.#storage.removeItem(NAME);
    } catch {
      // As above.
    }
  }
}
