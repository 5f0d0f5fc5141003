/**
 * The list of chats: rename, pin and delete in place, a new chat on top, and a drawer on small screens.
 */

export class Sidebar {
  #nav;
  #list;
  #template;
  #session;
  #told;

  /**
   * @param {HTMLElement} nav
   * @param {HTMLTemplateElement} template one row
   * @param {{json: (method: string, path: string, body?: object) => Promise<any>}} session
   * @param {{problem: (sentence: string) => void, renamed: (id: string, title: string) => void,
   *          deleted: (id: string) => void}} told
   */
  constructor(nav, template, session, told) {
    this.#nav = nav;
    this.#list = /** @type {HTMLElement} */ (nav.querySelector("ul"));
    this.#template = template;
    this.#session = session;
    this.#told = told;
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.open = false;
    });
  }

  /** Whether the drawer of a small screen is out. @param {boolean} open */
  set open(open) {
    document.documentElement.toggleAttribute("data-sidebar-open", open);
    const opener = document.querySelector("[data-do=open-sidebar]");
    const wasOpen = opener?.getAttribute("aria-expanded") === "true";
    opener?.setAttribute("aria-expanded", String(open));
    if (open) this.#nav.querySelector("a")?.focus();
    else if (wasOpen) /** @type {HTMLElement} */ (opener).focus();
  }

  /** A new chat goes on top, as the current one. @param {string} id @param {string} title */
  add(id, title) {
    if (this.#row(id)) return;
    const copy = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const row = /** @type {HTMLElement} */ (copy.firstElementChild);
    row.dataset.conversation = id;
    const link = /** @type {HTMLAnchorElement} */ (row.querySelector("a"));
    link.href = `/c/${id}`;
    link.setAttribute("aria-current", "page");
    titleOf(row).textContent = title;
    const firstFree = this.#list.querySelector("li:not([data-pinned])");
    this.#list.insertBefore(row, firstFree);
  }

  /** @param {string} id */
  #row(id) {
    return /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-conversation="${CSS.escape(id)}"]`));
  }

  /** @param {Event} event */
  #clicked(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    const row = button?.closest("li");
    if (!button || !row) return;
    const verbs = { pin: this.#pin, rename: this.#rename, delete: this.#delete };
    const verb = verbs[/** @type {keyof typeof verbs} */ (button.dataset.do)];
    if (verb) verb.call(this, row).catch((error) => this.#told.problem(error.message));
  }

  /** @param {HTMLElement} row */
  async #pin(row) {
    const pinned = !("pinned" in row.dataset);
    await this.#session.json("PATCH", path(row), { pinned });
    row.toggleAttribute("data-pinned", pinned);
    if (pinned) this.#list.prepend(row);
    else this.#list.insertBefore(row, this.#list.querySelector("li:not([data-pinned])"));
    row.querySelector("a")?.focus();
  }

  /** @param {HTMLElement} row */
  async #rename(row) {
    const place = titleOf(row);
    const input = document.createElement("input");
    input.value = place.textContent ?? "";
    input.maxLength = 200;
    input.setAttribute("aria-label", "New name of this chat");
    row.append(input);
    row.dataset.renaming = "";
    input.select();
    const title = await typed(input);
    const hadFocus = document.activeElement === input;
    input.remove();
    delete row.dataset.renaming;
    if (hadFocus) row.querySelector("a")?.focus();
    if (!title || title === place.textContent) return;
    await this.#session.json("PATCH", path(row), { title });
    place.textContent = title;
    this.#told.renamed(row.dataset.conversation ?? "", title);
  }

  /** @param {HTMLElement} row */
  async #delete(row) {
    const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("confirm"));
    /** @type {HTMLElement} */ (dialog.querySelector("[data-part=title]")).textContent = titleOf(row).textContent;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "delete") return row.querySelector("a")?.focus(); // its buttons were hidden meanwhile
    await this.#session.json("DELETE", path(row));
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    /** @type {HTMLElement | null | undefined} */ (
      next?.querySelector("a") ?? this.#nav.querySelector(".new")
    )?.focus();
    this.#told.deleted(row.dataset.conversation ?? "");
  }
}

/** @param {HTMLElement} row */
const path = (row) => `/v2/conversations/${row.dataset.conversation}`;

/** @param {HTMLElement} row */
const titleOf = (row) => /** @type {HTMLElement} */ (row.querySelector("[data-part=title]"));

/** What is typed until Enter or until the field is left; "" after Escape. @param {HTMLInputElement} input */
function typed(input) {
  return /** @type {Promise<string>} */ (
    new Promise((resolve) => {
      input.addEventListener("blur", () => resolve(input.value.trim()));
      input.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.isComposing) return;
        if (event.key === "Enter") resolve(input.value.trim());
        if (event.key === "Escape") resolve("");
      });
    })
  );
}
