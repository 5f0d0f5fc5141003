/**
 * Prints by the keys once the whole chat stands there, with its photos.
 */
import { load } from "./later.js";

/** @param {HTMLElement} list where the messages are painted @param {() => Promise<unknown>} loadAll loads all photos */
export function listenForPrint(list, loadAll) {
  document.addEventListener("keydown", (event) => {
    const isPrint = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key === "p";
    if (!isPrint || ("whole" in list.dataset && !list.querySelector("[data-part=photos] img"))) return;
    event.preventDefault();
    if (!event.repeat) load("printing").then(({ printWhole }) => printWhole(list, loadAll), print);
  });
}
