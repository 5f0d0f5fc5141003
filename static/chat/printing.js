/**
 * Waits with printing until the whole chat stands there: photos out of sight are not in memory, and a chat that has just
 * been opened is still being written. What a browser prints by its menu waits for nothing but `beforeprint`
 * (camera/photo_memory.js).
 */

/** The longest that printing waits, in ms. */
const PATIENCE = 10_000;

/** @param {HTMLElement} list where the messages are painted @param {() => Promise<unknown>} loadAll loads all photos */
export async function printWhole(list, loadAll) {
  const isLate = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const all = async () => {
    await whole(list);
    if (list.querySelector("[data-part=photos] img")) await loadAll();
  };
  await Promise.race([all().catch(() => {}), isLate]);
  print();
}

/** Resolves once all messages are painted. @param {HTMLElement} list @returns {Promise<void>} */
function whole(list) {
  return new Promise((resolve) => {
    const isWhole = () => "whole" in list.dataset;
    if (isWhole()) return resolve();
    const observer = new MutationObserver(() => isWhole() && resolve(observer.disconnect()));
    return observer.observe(list, { attributeFilter: ["data-whole"] });
  });
}
