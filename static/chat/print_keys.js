/**
 * Prints by the keys once the whole chat stands there, with its photos: those out of sight are not in memory, and a chat
 * that has just been opened is still being written. What a browser prints by its menu waits for nothing but
 * `beforeprint` (camera/photo_memory.js).
 */

/** The longest that printing waits, in ms. */
const PATIENCE = 10_000;

/** @param {HTMLElement} list where the messages are painted @param {() => Promise<unknown>} loadAll loads all photos */
export function listenForPrint(list, loadAll) {
  document.addEventListener("keydown", (event) => {
    const isPrint = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key === "p";
    if (isPrint && !isReady(list)) {
      event.preventDefault();
      if (!event.repeat) void printWhole(list, loadAll);
    }
  });
}

/** @param {HTMLElement} list */
const isWhole = (list) => "whole" in list.dataset;

/** @param {HTMLElement} list */
const imagesOf = (list) =>
  /** @type {NodeListOf<HTMLImageElement>} */ (list.querySelectorAll("[data-part=photos] img"));

/** @param {HTMLElement} list */
const isReady = (list) => isWhole(list) && [...imagesOf(list)].every((image) => image.src && image.complete);

/** @param {HTMLElement} list @param {() => Promise<unknown>} loadAll */
async function printWhole(list, loadAll) {
  const isLate = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const all = async () => {
    await whole(list);
    if (imagesOf(list).length) await loadAll();
  };
  await Promise.race([all().catch(() => {}), isLate]);
  print();
}

/** Resolves once all messages are painted. @param {HTMLElement} list @returns {Promise<void>} */
function whole(list) {
  return new Promise((resolve) => {
    if (isWhole(list)) return resolve();
    const observer = new MutationObserver(() => isWhole(list) && resolve(observer.disconnect()));
    return observer.observe(list, { attributeFilter: ["data-whole"] });
  });
}
