/**
 * The list of chats: loads more on scrolling, renames and pins in place, is a drawer on small screens.
 */
import { ChatList } from "./chat_list.js";
import { merged, timeAfter } from "./chats.js";
import { load } from "./later.js";

export class Sidebar {
  #current = "";
  #nav;
  #place;
  #list;
  #session;
  #told;
  #next;
  #loading = false;
  /** @type {ReadonlyMap<string, ChatRow>} */
  #rows;

  /**
   * @param {HTMLElement} nav
   * @param {HTMLTemplateElement} template one row
   * @param {{json: (method: string, path: string, body?: object) => Promise<any>}} session
   * @param {{conversations: ChatRow[], next: string | null}} first the newest chats, and the cursor of the others
   * @param {{renamed: (id: string, title: string) => void, problem: (sentence: string) => void}} told
   */
  constructor(nav, template, session, { conversations, next }, told) {
    this.#nav = nav;
    this.#place = /** @type {HTMLElement} */ (nav.querySelector("#conversations"));
    this.#list = new ChatList(this.#place, template);
    this.#session = session;
    this.#told = told;
    this.#rows = merged(new Map(), conversations);
    this.#next = next;
    this.#place.addEventListener("scroll", () => this.#reach(), { passive: true });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.open = false;
    });
  }

  /** Opens or closes the drawer of a small screen. @param {boolean} open */
  set open(open) {
    document.documentElement.toggleAttribute("data-sidebar-open", open);
    const opener = document.querySelector("[data-do=open-sidebar]");
    const wasOpen = opener?.getAttribute("aria-expanded") === "true";
    opener?.setAttribute("aria-expanded", String(open));
    if (open) this.#nav.querySelector("a")?.focus();
    else if (wasOpen) /** @type {HTMLElement} */ (opener).focus();
  }

  /** The shown chat's id; "" for a new one. */
  get current() {
    return this.#current;
  }

  set current(id) {
    this.#current = id;
    this.#show(this.#rows);
  }

  /** The loaded chats. @returns {ChatRow[]} */
  get rows() {
    return [...this.#rows.values()];
  }

  /** Adds or updates a chat: its title, whether it has a running answer.
   * @param {Partial<ChatRow> & {id: string}} row */
  set(row) {
    const blank = { title: "", pinned: false, updated_at: timeAfter(this.#rows.values()) };
    this.#show(merged(this.#rows, [{ ...blank, ...this.#rows.get(row.id), ...row }]));
  }

  /** Restores a chat, and focuses it. @param {ChatRow} row */
  putBack(row) {
    this.set(row);
    this.#list.find(row.id)?.querySelector("a")?.focus();
  }

  /** Removes a chat from the list. @param {string} id */
  remove(id) {
    const rows = new Map(this.#rows);
    rows.delete(id);
    if (!this.#list.focusBeside(id)) this.focus();
    this.#show(rows);
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.#nav.querySelector(".new"))?.focus();
  }

  /** Removes a chat that was deleted elsewhere, without moving the focus. @param {string} id */
  forget(id) {
    const rows = new Map(this.#rows);
    rows.delete(id);
    this.#show(rows);
  }

  /** Reloads the newest chats: their titles, and running answers. */
  async refresh() {
    const { conversations } = await this.#session.json("GET", "/v2/conversations");
    this.#show(merged(this.#rows, conversations));
  }

  /** Pins or renames a chat. @param {HTMLElement} button whose `data-do` says which */
  async change(button) {
    const row = this.rowOf(button);
    const element = /** @type {HTMLElement} */ (this.#list.find(row.id));
    const tools = await load("row-tools");
    const verb = /** @type {keyof typeof tools} */ (button.dataset.do);
    const changed = await tools[verb]({ session: this.#session, row, element });
    if (changed) this.set({ id: row.id, ...changed });
    if (changed?.title) this.#told.renamed(row.id, changed.title);
  }

  /** The row of a button in the list. @param {HTMLElement} button */
  rowOf(button) {
    return /** @type {ChatRow} */ (this.#rows.get(button.closest("li")?.dataset.conversation ?? ""));
  }

  /** @param {ReadonlyMap<string, ChatRow>} rows */
  #show(rows) {
    this.#rows = rows;
    this.#list.show(rows, this.#current);
  }

  /** Loads the next page of chats when the end of the list is near. */
  #reach() {
    const { scrollHeight, scrollTop, clientHeight } = this.#place;
    if (!this.#next || this.#loading || scrollHeight - scrollTop > 2 * clientHeight) return;
    this.#loading = true;
    this.#load(this.#next)
      .catch((error) => this.#told.problem(error.message))
      .finally(() => {
        this.#loading = false;
      });
  }

  /** @param {string} cursor */
  async #load(cursor) {
    const path = `/v2/conversations?cursor=${encodeURIComponent(cursor)}`;
    const { conversations, next } = await this.#session.json("GET", path);
    this.#next = next;
    this.#show(merged(this.#rows, conversations));
  }
}
