/**
 * This browser's push subscription: created at its push service, and registered at the server, which notifies it of
 * ended answers while no page of the site is visible (chat/push/).
 */
import { Refused } from "./errors.js";
import { t } from "./words.js";

const PATH = "/v2/push";
export const MISSING = t(
  "This browser cannot show notifications here. On an iPhone or iPad, add WonderCam to the home screen first.",
);
export const BLOCKED = t(
  "Notifications of this site are blocked. Allow them in the browser’s settings, then try again.",
);
export const UNMADE = t("The browser could not reach its push service. Try again later.");

/**
 * The browser's APIs that it needs.
 * @typedef {{serviceWorker?: Pick<ServiceWorkerContainer, "ready">,
 *            notification?: Pick<typeof Notification, "permission" | "requestPermission">, hasPush: boolean}} PushBrowser
 */

export class BrowserSubscription {
  #session;
  #key;
  #browser;

  /** @param {JsonRequester} session @param {string} key the site's public key, in base64url @param {PushBrowser} [browser] */
  constructor(session, key, browser = here()) {
    this.#session = session;
    this.#key = key;
    this.#browser = browser;
  }

  /** Whether there is a subscription to renew; no request is made. */
  get isAllowed() {
    return this.#browser.hasPush && this.#browser.notification?.permission === "granted";
  }

  /** Whether notifications are on in this browser. */
  async isOn() {
    return this.isAllowed && Boolean(await this.#found());
  }

  /** Requests permission, subscribes, and registers at the server. Throws an Error with a sentence. */
  async turnOn() {
    const { hasPush, notification, serviceWorker } = this.#browser;
    if (!hasPush || !notification || !serviceWorker) throw new Error(MISSING);
    if ((await notification.requestPermission()) !== "granted") throw new Error(BLOCKED);
    const made = await this.#made();
    try {
      await this.#session.json("POST", PATH, made.toJSON());
    } catch (problem) {
      await made.unsubscribe();
      throw problem;
    }
  }

  async turnOff() {
    const found = await this.#found();
    if (!found) return;
    await this.#session.json("DELETE", PATH, { endpoint: found.endpoint });
    await found.unsubscribe();
  }

  /** Renews it for the current session. One unknown to the server, or of an earlier key, is removed. */
  async renew() {
    const found = this.isAllowed && (await this.#found());
    if (!found) return;
    try {
      if (!isFor(found, this.#key)) return void (await this.turnOff());
      await this.#session.json("PATCH", PATH, found.toJSON());
    } catch (problem) {
      if (problem instanceof Refused && problem.isFinal) await found.unsubscribe();
    }
  }

  async #found() {
    const registration = await this.#browser.serviceWorker?.ready;
    return (await registration?.pushManager.getSubscription()) ?? null;
  }

  async #made() {
    const registration = await /** @type {any} */ (this.#browser.serviceWorker).ready;
    try {
      return await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: this.#key });
    } catch {
      throw new Error(UNMADE);
    }
  }
}

/** Whether a subscription was made for this key of the site. @param {PushSubscription} found @param {string} key */
function isFor(found, key) {
  const bytes = found.options.applicationServerKey;
  if (!bytes) return true;
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") === key;
}

/** @returns {PushBrowser} */
function here() {
  return {
    serviceWorker: navigator.serviceWorker,
    notification: globalThis.Notification,
    hasPush: "PushManager" in globalThis && "serviceWorker" in navigator,
  };
}
