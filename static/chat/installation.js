/**
 * Registers the service worker, which caches the page for use offline and shows notifications
 * (templates/chat/service_worker.js), and renews this browser's push subscription where it has one.
 */
import { app } from "./document.js";
import { BrowserSubscription } from "./push_subscription.js";

const WORKER = "/service-worker.js";

/** Called last. Does nothing without service workers, as on plain HTTP.
 * @param {JsonRequester} session */
export async function install(session) {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(trusted(WORKER));
    const key = app.dataset.pushKey; // where the site has Web Push
    if (key) await new BrowserSubscription(session, key).renew();
  } catch {
    // Forbidden by the browser's settings: then there is no offline page, and no notification.
  }
}

/** The URL as the page's policy requires it (`require-trusted-types-for`). @param {string} address @returns {any} */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return address;
  const policy = types.createPolicy("wondercam", { createScriptURL: () => WORKER });
  return policy.createScriptURL(address);
}
