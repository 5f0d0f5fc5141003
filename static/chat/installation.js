/**
 * Registers the service worker, which keeps the page for times without a network and shows notifications
 * (templates/chat/service_worker.js), and renews this browser's push subscription where it has one.
 */
import { app } from "./document.js";
import { BrowserSubscription } from "./push_subscription.js";

const WORKER = "/service-worker.js";

/** After everything else. A browser without service workers, or a page that came by plain HTTP, goes without.
 * @param {JsonRequester} session */
export async function install(session) {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(trusted(WORKER));
    const key = app.dataset.pushKey; // where the site has Web Push
    if (key) await new BrowserSubscription(session, key).renew();
  } catch {
    // Forbidden by the browser's settings: then there is no page without a network, and no notification.
  }
}

/** The address as the page's policy wants it (`require-trusted-types-for`). @param {string} address @returns {any} */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return address;
  const policy = types.createPolicy("wondercam", { createScriptURL: () => WORKER });
  return policy.createScriptURL(address);
}
