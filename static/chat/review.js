/**
 * The review by keyboard: j and k move through a list, Enter opens, n and p turn over, 1 to 5 score (of a
 * pair, choose), Ctrl+Enter files.
 *
 * Nothing happens while something is typed, but for Ctrl+Enter; and keys with other modifiers are the browser's.
 */

/** @type {Record<string, (page: Document) => unknown>} */
const KEYS = {
  j: (page) => move(page, 1),
  k: (page) => move(page, -1),
  n: (page) => turn(page, "next"),
  p: (page) => turn(page, "prev"),
};
for (const score of ["1", "2", "3", "4", "5"]) KEYS[score] = (page) => choose(page, score);

/** Listens to the keys of this page. @param {Document} page */
export function listen(page) {
  page.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return file(page, event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event.target)) return undefined;
    return KEYS[event.key]?.(page);
  });
}

/** Moves the focus to the next or previous entry of the list. @param {Document} page @param {number} step */
function move(page, step) {
  const entries = [...page.querySelectorAll("[data-moves] > li")].map(focusable);
  const at = entries.findIndex((entry) => entry.contains(page.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : entries.length - 1) : at + step;
  entries[Math.min(Math.max(next, 0), entries.length - 1)]?.focus();
}

/** What takes the focus of an entry: its link, or itself. @param {Element} entry */
function focusable(entry) {
  const link = entry.querySelector(":scope > a");
  if (!link) entry.setAttribute("tabindex", "-1");
  return /** @type {HTMLElement} */ (link ?? entry);
}

/** Opens the next or previous answer. @param {Document} page @param {string} way */
function turn(page, way) {
  /** @type {HTMLAnchorElement | null} */ (page.querySelector(`.session a[rel=${way}]`))?.click();
}

/** @param {Document} page @param {string} score */
function choose(page, score) {
  const radio = /** @type {HTMLInputElement | null} */ (
    page.querySelector(`.verdict input[name=score][value="${score}"]`) ??
      page.querySelector(`.verdict input[data-key="${score}"]`)
  );
  if (radio) radio.checked = true;
}

/** @param {Document} page @param {Event} event */
function file(page, event) {
  const form = /** @type {HTMLFormElement | null} */ (page.querySelector("form.verdict"));
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
}

/** Whether keys go into a field. Radio buttons and checkboxes take no letters. @param {EventTarget | null} target */
function isTyped(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  return Boolean(element?.matches?.("textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]"));
}

if (globalThis.document) {
  listen(document);
  document.documentElement.dataset.keys = "heard"; // until then a key is nobody's
}
