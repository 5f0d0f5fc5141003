/**
 * Registers the service worker, which caches the page for use offline and shows notifications
 * (templates/chat/service_worker.js), and renews this browser's push subscription where it has one.
 */
import { app } from "./document.js";
import { ownScript, SERVICE_WORKER } from "./own_script.js";
import { BrowserSubscription } from "./push_subscription.js";

/** Called last. Does nothing without service workers, as on plain HTTP.
 * @param {JsonRequester} session */
export async function install(session) {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(ownScript(SERVICE_WORKER));
    const key = app.dataset.pushKey; // where the site has Web Push
    if (key) await new BrowserSubscription(session, key).renew();
  } catch {
    // Forbidden by the browser's settings: then there is no offline page, and no notification.
  }
}
