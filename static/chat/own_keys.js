/**
 * One's own API keys: made and shown once, listed with their last use, deleted (chat/views/keys.py).
 */
import { copy } from "./clipboard.js";
import { t } from "./words.js";

const PATH = "/v2/keys";

/** A key as the server lists it, with times in ISO 8601.
 * @typedef {{id: string, name: string, hint: string, scopes: string[], created_at: string, expires_at: string | null,
 *            last_used_at: string | null}} Key */

export class OwnKeys {
  #dialog;
  #session;
  #form;
  #list;

  /** @param {HTMLElement} dialog a dialog @param {JsonRequester} session */
  constructor(dialog, session) {
    this.#dialog = /** @type {HTMLDialogElement} */ (dialog);
    this.#session = session;
    this.#form = /** @type {HTMLFormElement} */ (this.#part("make"));
    this.#list = /** @type {HTMLElement} */ (dialog.querySelector("ul"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#make();
    });
    this.#part("copy").addEventListener("click", () => void this.#copy());
    dialog.addEventListener("close", () => this.#reveal(""));
  }

  open() {
    this.#dialog.showModal();
    this.#form.reset();
    this.#field("until").min = localDay(new Date());
    void this.#try(() => this.#look());
  }

  async #make() {
    const button = /** @type {HTMLButtonElement} */ (this.#form.querySelector("button"));
    button.disabled = true; // a second press would make a second key
    await this.#try(async () => {
      const { key } = /** @type {{key: string}} */ (await this.#session.json("POST", PATH, this.#wanted));
      this.#form.reset();
      this.#reveal(key);
      await this.#look();
    });
    button.disabled = false;
  }

  get #wanted() {
    const until = this.#field("until").value;
    return {
      name: this.#field("name").value.trim(),
      ...(until && { expires: new Date(`${until}T23:59:59`).toISOString() }), // the end of that day here
      ...(this.#field("reads").checked && { scopes: ["read"] }),
    };
  }

  /** Shows a new key; "" forgets it. @param {string} key */
  #reveal(key) {
    const field = /** @type {HTMLInputElement} */ (this.#part("key"));
    field.value = key;
    this.#part("copied").textContent = "";
    this.#part("made").hidden = !key;
    if (!key) return;
    field.focus();
    field.select();
  }

  async #copy() {
    const { value } = /** @type {HTMLInputElement} */ (this.#part("key"));
    await this.#try(async () => {
      await copy(value);
      this.#part("copied").textContent = t("Copied.");
    });
  }

  /** Lists the keys as the server has them. */
  async #look() {
    const { keys } = /** @type {{keys: Key[]}} */ (await this.#session.json("GET", PATH));
    this.#list.replaceChildren(...keys.map((key) => this.#row(key)));
    this.#part("none").hidden = keys.length > 0;
  }

  /** @param {Key} key */
  #row(key) {
    const template = /** @type {HTMLTemplateElement} */ (this.#dialog.querySelector("template"));
    const row = /** @type {HTMLElement} */ (template.content.cloneNode(true)).querySelector("li");
    const item = /** @type {HTMLElement} */ (row);
    part(item, "name").textContent = key.name;
    part(item, "hint").textContent = `${key.hint}…`;
    part(item, "facts").textContent = facts(key).join(" · ");
    part(item, "delete").setAttribute("aria-label", t("Delete {name}", { name: key.name }));
    part(item, "delete").addEventListener("click", () => ask(item, true));
    part(item, "keep").addEventListener("click", () => ask(item, false));
    part(item, "end").addEventListener("click", () => void this.#try(() => this.#end(key.id)));
    return item;
  }

  /** @param {string} id */
  async #end(id) {
    try {
      await this.#session.json("DELETE", `${PATH}/${id}`);
    } finally {
      await this.#look(); // another tab may have deleted it
      this.#field("name").focus(); // what had the focus is gone
    }
  }

  /** Shows why something could not be done. @param {() => Promise<void>} does */
  async #try(does) {
    const said = this.#part("said");
    said.textContent = "";
    try {
      await does();
    } catch (error) {
      said.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
  }

  /** @param {string} name */
  #part(name) {
    return part(this.#dialog, name);
  }
}

/** @param {Element} within @param {string} name @returns {HTMLElement} */
const part = (within, name) => /** @type {HTMLElement} */ (within.querySelector(`[data-part=${name}]`));

/** Asks whether a key shall be deleted, or no longer. @param {HTMLElement} row @param {boolean} asked */
function ask(row, asked) {
  for (const name of ["warning", "keep", "end"]) part(row, name).hidden = !asked;
  part(row, "delete").hidden = asked;
  part(row, asked ? "keep" : "delete").focus();
}

/** What is said of a key beneath its name. @param {Key} key @param {Date} [now] */
export function facts({ created_at, expires_at, last_used_at, scopes }, now = new Date()) {
  return [
    t("Made {date}", { date: day(created_at) }),
    last_used_at ? t("Last used {date}", { date: day(last_used_at) }) : t("Never used"),
    ...(expires_at ? [end(expires_at, now)] : []),
    ...(scopes.includes("chat") ? [] : [t("only reads")]),
  ];
}

/** @param {string} moment @param {Date} now */
function end(moment, now) {
  const date = day(moment);
  return new Date(moment) > now ? t("Ends {date}", { date }) : t("Ended {date}", { date });
}

/** @param {string} moment */
function day(moment) {
  const language = globalThis.document?.documentElement?.lang || undefined;
  return new Date(moment).toLocaleDateString(language, { dateStyle: "medium" });
}

/** The day here, as a date field has it. @param {Date} moment */
function localDay(moment) {
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
