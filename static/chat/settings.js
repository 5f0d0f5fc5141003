/**
 * The settings of this browser: theme and text size. They apply at once, and are stored in cookies, so that the server
 * renders the next page with them (chat/views/look.py).
 */
import { Later } from "./later.js";
import { Notices } from "./notices.js";

/** A year, in seconds. */
const KEPT = 31_536_000;

export class Settings {
  #dialog;
  #document;
  #notices;
  /** Opens the API keys, as the link of the account's page asks; nothing for a guest, who has none. */
  openKeys = async () => {};

  /** @param {HTMLElement} dialog a dialog @param {JsonRequester} session @param {Document} [document] */
  constructor(dialog, session, document = globalThis.document) {
    const notices = /** @type {HTMLElement | null} */ (dialog.querySelector("#notices"));
    this.#dialog = /** @type {HTMLDialogElement} */ (dialog);
    this.#notices = notices && new Notices(notices, session); // the site may have no keys
    this.#document = document;
    dialog.addEventListener("change", ({ target }) => {
      const { name, value } = /** @type {HTMLInputElement} */ (target);
      if (name === "theme") this.theme = value;
      if (name === "text_size") this.textSize = value;
    });
    this.#offerKeys(session);
  }

  open() {
    this.#dialog.showModal();
    void this.#notices?.show();
  }

  /** Lets an account see its API keys: a guest has none, and no such button. @param {JsonRequester} session */
  #offerKeys(session) {
    const place = this.#dialog.querySelector("[data-part=keys]");
    const dialog = this.#document.getElementById("api-keys");
    if (!place || !dialog) return;
    const keys = new Later("own-keys", ({ OwnKeys }) => new OwnKeys(dialog, session));
    const said = /** @type {HTMLElement} */ (place.querySelector("[role=alert]"));
    this.openKeys = async () => {
      said.textContent = "";
      try {
        (await keys.get()).open();
      } catch (error) {
        said.textContent = /** @type {Error} */ (error).message;
        if (!this.#dialog.open) this.open();
      }
    };
    place.querySelector("button")?.addEventListener("click", this.openKeys);
  }

  /** @param {string} theme "light", "dark", or "" for what the system has */
  set theme(theme) {
    this.#choose("theme", theme);
    this.#meta("color-scheme").content = theme || "light dark";
    for (const meta of this.#document.querySelectorAll("meta[name=theme-color]")) {
      const { of } = /** @type {HTMLElement} */ (meta).dataset;
      const media = theme ? (of === theme ? "all" : "not all") : `(prefers-color-scheme: ${of})`;
      meta.setAttribute("media", media);
    }
  }

  /** @param {string} size "small", "large", "largest", or "" */
  set textSize(size) {
    this.#choose("text_size", size);
  }

  /** @param {"theme" | "text_size"} name @param {string} value */
  #choose(name, value) {
    const root = this.#document.documentElement;
    const attribute = `data-${name.replace("_", "-")}`;
    if (value) root.setAttribute(attribute, value);
    else root.removeAttribute(attribute);
    const { protocol } = this.#document.location;
    const secure = protocol === "https:" ? "; Secure" : "";
    this.#document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? KEPT : 0}; SameSite=Lax${secure}`;
  }

  /** @param {string} name @returns {HTMLMetaElement} */
  #meta(name) {
    return /** @type {HTMLMetaElement} */ (this.#document.querySelector(`meta[name=${name}]`));
  }
}
