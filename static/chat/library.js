/**
 * The user's chats: the list, switching, deletion with undo, search and export.
 */
import { timeAfter } from "./chats.js";
import { attempt, byId, failed, name, openAtOnce, problem, template } from "./document.js";
import { Later, load } from "./later.js";
import { DELETED_ELSEWHERE } from "./messages.js";
import { Router } from "./router.js";
import { Sidebar } from "./sidebar.js";
import { Throttle } from "./throttle.js";
import { t } from "./words.js";

/** The shortest interval at which a page that becomes visible reloads the list, in ms. */
const LOOK = 5_000;

export class Library {
  #means;
  #sidebar;
  #router;
  #look;
  #switcher = new Later(
    "switcher",
    ({ Switcher }) => new Switcher({ ...this.#means, go: (id) => this.#router.go(`/c/${id}`) }),
  );

  #deletion = new Later("deletion", ({ Deletion }) => {
    const { session, clock } = this.#means;
    const deletion = new Deletion({
      session,
      clock,
      storage: sessionStorage,
      told: { waits: (row) => this.#offerUndo(row), back: (row) => this.#sidebar.putBack(row), problem: failed },
    });
    const left = deletion.resume();
    if (left) this.#sidebar.remove(left);
    addEventListener("pagehide", () => deletion.finish());
    return deletion;
  });

  /** The actions of the buttons around the list. @type {Record<string, (control: HTMLElement) => unknown>} */
  verbs = {
    "open-sidebar": () => this.#open(true),
    "close-sidebar": () => this.#open(false),
    pin: (button) => this.#sidebar.change(button),
    rename: (button) => this.#sidebar.change(button),
    delete: (button) => this.#delete(this.#sidebar.rowOf(button)),
    "undo delete": async () => (await this.#deletion.get()).undo(),
    search: () => this.search(),
    shortcuts: () => this.#shortcuts(),
    instruction: async () => (await load("instruction")).edit(this.#means.session, this.#sidebar.current),
    export: (button) => this.#export(button.dataset.format ?? ""),
  };

  /**
   * @param {{session: import("./session.js").Session, clock: Clock, scroll: import("./scroll.js").Scroll,
   *          opened: (id: string, messages: Stored[], queued: number) => void}} means `opened`: shows another chat
   */
  constructor(means) {
    const { session, clock, scroll } = means;
    this.#means = means;
    const first = JSON.parse(byId("chats").textContent ?? "");
    this.#sidebar = new Sidebar(byId("sidebar"), template("conversation"), session, first, {
      renamed: (id, title) => id === this.#sidebar.current && name(title),
      problem: failed,
    });
    this.#router = new Router(session, scroll, { opened: (found) => this.#opened(found), problem: failed });
    this.#look = new Throttle(clock, LOOK, () => void this.#refresh());
    addEventListener("load", () => this.#deletion.use(() => {}));
    document.addEventListener("pointerdown", ({ target }) => {
      if (!byId("export").contains(/** @type {Node} */ (target))) this.#closeMenu();
    });
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** The chat that the page was loaded with. @param {string} id */
  began(id) {
    this.#mark(id);
  }

  /** Called when a new chat has been stored. @param {string} id @param {string} title */
  added(id, title) {
    this.#router.replace(`/c/${id}`);
    this.#sidebar.set({ id, title, running: true });
    this.#mark(id);
    name(title);
    if (byId("instruction").textContent)
      void load("instruction").then(
        ({ keep }) => keep(this.#means.session, id),
        ({ message }) => failed(message),
      );
  }

  /** Called when an answer of the shown chat begins or ends. @param {boolean} running */
  answering(running) {
    const id = this.#sidebar.current;
    if (id) this.#sidebar.set({ id, running, ...(running && { updated_at: timeAfter(this.#sidebar.rows) }) });
  }

  /** Called when the page becomes visible. */
  wake() {
    this.#look.request();
  }

  /** Handles a line of the feed. @param {FeedLine} line */
  hear({ type, conversation: id, title = "", pinned = false, system = "" }) {
    const isKnown = this.#sidebar.rows.some((row) => row.id === id);
    if (type === "started") this.#sidebar.set({ id, title, running: true, updated_at: timeAfter(this.#sidebar.rows) });
    if (type === "ended" && isKnown) this.#sidebar.set({ id, running: false });
    if (type === "pinned" && isKnown) this.#sidebar.set({ id, pinned });
    if (type === "renamed" && isKnown) this.#renamed(id, title);
    if (type === "instructed" && id === this.#sidebar.current) byId("instruction").textContent = system;
    if (type === "deleted" && isKnown) this.#deletedElsewhere(id);
  }

  /** @param {string} id @param {string} title */
  #renamed(id, title) {
    this.#sidebar.set({ id, title });
    if (id === this.#sidebar.current) name(title);
  }

  /** @param {string} id */
  #deletedElsewhere(id) {
    this.#sidebar.forget(id);
    if (id === this.#sidebar.current) problem(DELETED_ELSEWHERE);
  }

  search = () => openAtOnce("switcher", async () => (await this.#switcher.get()).show(this.#sidebar.rows));
  #shortcuts = async () => (await this.#switcher.get()).showShortcuts();

  /** @param {string} id the chat that is shown */
  #mark(id) {
    this.#sidebar.current = id;
    byId("export").hidden = !id;
  }

  /** @param {boolean} open */
  #open(open) {
    this.#sidebar.open = open;
  }

  /** @param {import("./router.js").Conversation} conversation */
  #opened({ id, title, system, messages, queued }) {
    this.#mark(id);
    byId("instruction").textContent = system;
    this.#open(false);
    name(title || t("New chat"));
    this.#means.opened(id, messages, queued);
  }

  /** @param {ChatRow} row */
  async #delete(row) {
    const deletion = await this.#deletion.get();
    const isShown = row.id === this.#sidebar.current;
    this.#sidebar.remove(row.id);
    deletion.start(row);
    if (isShown) await this.#router.go("/");
  }

  /** @param {ChatRow | null} row */
  #offerUndo(row) {
    const place = byId("undo");
    if (!row && place.contains(document.activeElement)) this.#sidebar.focus();
    place.hidden = !row;
    const said = /** @type {HTMLElement} */ (place.querySelector("[data-part=said]"));
    said.textContent = row ? t("“{title}” is deleted.", { title: row.title || t("New chat") }) : "";
  }

  async #refresh() {
    await this.#sidebar.refresh().catch(() => {}); // the next look mends it
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Escape") this.#closeMenu();
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = `${event.shiftKey ? "shift " : ""}${event.key.toLowerCase()}`;
    /** @type {Record<string, () => unknown>} */
    const verbs = { k: () => this.search(), "/": () => this.#shortcuts(), "shift o": () => this.#router.go("/") };
    if (!verbs[key]) return;
    event.preventDefault();
    const dialog = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog[open]"));
    if (dialog && !dialog.matches("#switcher, #shortcuts")) return; // what it asks for comes first
    dialog?.close();
    void attempt(verbs[key]);
  }

  #closeMenu() {
    const menu = /** @type {HTMLDetailsElement} */ (byId("export"));
    if (menu.open && menu.contains(document.activeElement)) menu.querySelector("summary")?.focus(); // not lost
    menu.open = false;
  }

  /** Downloads the shown chat as a file. @param {string} format */
  async #export(format) {
    this.#closeMenu();
    const { save } = await load("switcher");
    await save(this.#means.session, this.#sidebar.current, format);
  }
}
