/**
 * Registers the service worker, which keeps the page for times without a network (static/chat/service_worker.js).
 */

const WORKER = "/service-worker.js";

/** After everything else. A browser without service workers, or a page that came by plain HTTP, goes without.
 * @param {Navigator} [browser] */
export async function keepForOffline(browser = navigator) {
  if (!("serviceWorker" in browser)) return;
  try {
    await browser.serviceWorker.register(trusted(WORKER));
  } catch {
    // Forbidden by the browser's settings: then there is no page without a network.
  }
}

/** The address as the page's policy wants it (`require-trusted-types-for`). @param {string} address @returns {any} */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return address;
  const policy = types.createPolicy("wondercam", { createScriptURL: () => WORKER });
  return policy.createScriptURL(address);
}
