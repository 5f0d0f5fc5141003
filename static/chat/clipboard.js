/**
 * Copying: also on plain HTTP, where a browser gives pages no `navigator.clipboard`, and where it refuses it.
 */
import { t } from "./words.js";

const REFUSED = t("This browser lets the page copy nothing: select the text, and copy it by hand.");

/**
 * Puts a text on the clipboard. Throws an Error with a sentence where the browser lets no page do that.
 * @param {string} text
 * @param {{clipboard?: Pick<Clipboard, "writeText">, document?: Document}} [means]
 */
export async function copy(text, { clipboard = globalThis.navigator?.clipboard, document = globalThis.document } = {}) {
  try {
    if (clipboard) return await clipboard.writeText(text);
  } catch {
    // Refused: the older way may still be open.
  }
  if (!copySelected(text, document)) throw new Error(REFUSED);
  return undefined;
}

/** Selects the text in a field that nobody sees, and has the browser copy what is selected. @param {string} text
 * @param {Document} document */
function copySelected(text, document) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const field = document.createElement("textarea");
  field.className = "unseen";
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isCopied;
}
