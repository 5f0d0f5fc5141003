/**
 * URLs of the page's own workers as its policy requires them (`require-trusted-types-for`, wondercam/security.py).
 */

/** The service worker, and what colours code; the server writes the address with the file's hash. */
export const SERVICE_WORKER = "/service-worker.js";
export const CODE_WORKER = import.meta.resolve("./code_worker.js");

const OWN = new Set([SERVICE_WORKER, CODE_WORKER]);

/** @type {{createScriptURL: (address: string) => any} | undefined} */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("wondercam", {
  createScriptURL(/** @type {string} */ address) {
    if (!OWN.has(address)) throw new TypeError(`${address} is no script of ours.`);
    return address;
  },
});

/** @param {string} address one of these @returns {any} */
export const ownScript = (address) => policy?.createScriptURL(address) ?? address;
