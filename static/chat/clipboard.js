/**
 * Copies text, also without `navigator.clipboard` (plain HTTP) and if it is refused.
 */
import { t } from "./words.js";

const REFUSED = t("This browser lets the page copy nothing: select the text, and copy it by hand.");

/**
 * Copies a text to the clipboard. Throws an Error with a sentence if the browser refuses.
 * @param {string} text
 * @param {{clipboard?: Pick<Clipboard, "writeText">, document?: Document}} [means]
 */
export async function copy(text, { clipboard = globalThis.navigator?.clipboard, document = globalThis.document } = {}) {
  try {
    if (clipboard) return await clipboard.writeText(text);
  } catch {
    // Refused: the older API may still work.
  }
  if (!copySelected(text, document)) throw new Error(REFUSED);
  return undefined;
}

/** Selects the text in an invisible field, and copies the selection. @param {string} text
 * @param {Document} document */
function copySelected(text, document) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const field = document.createElement("textarea");
  field.className = "unseen";
  field.value = text;
  (focused?.closest("dialog") ?? document.body).append(field); // behind an open dialog nothing can be selected
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isCopied;
}
