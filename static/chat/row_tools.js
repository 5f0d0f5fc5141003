/**
 * Renames and pins a chat, in its row in the list; what fails is said there, and a typed name stays to be tried again.
 */
import { t } from "./words.js";

/** @typedef {{session: JsonRequester, row: ChatRow, element: HTMLElement}} Place */

/** @param {Place} place @returns {Promise<Partial<ChatRow> | null>} what has changed */
export async function pin(place) {
  const { row, element } = place;
  const pinned = !row.pinned;
  if (await isStored(place, { pinned })) return { pinned };
  element.addEventListener("focusout", () => say(element, ""), { once: true }); // it is given up
  return null;
}

/** Lets a name be typed over the row, which Enter and leaving it store, and Escape does not.
 * @param {Place} place @returns {Promise<Partial<ChatRow> | null>} what has changed */
export async function rename(place) {
  const { row, element } = place;
  const input = fieldIn(element, row.title);
  let title = "";
  do {
    input.readOnly = false;
    title = await typedInto(input);
    input.readOnly = true;
  } while (title && title !== row.title && !(await isStored(place, { title })));
  const hadFocus = document.activeElement === input;
  input.remove();
  if (!title) say(element, "");
  if (hadFocus) element.querySelector("a")?.focus();
  return title && title !== row.title ? { title } : null;
}

/** @param {Place} place @param {object} change */
async function isStored({ session, row, element }, change) {
  say(element, "");
  try {
    await session.json("PATCH", `/v2/conversations/${row.id}`, change);
    return true;
  } catch (error) {
    say(element, /** @type {Error} */ (error).message);
    return false;
  }
}

/** @param {HTMLElement} element @param {string} before */
function fieldIn(element, before) {
  const input = document.createElement("input");
  input.value = before;
  input.dir = "auto";
  input.maxLength = 200;
  input.setAttribute("aria-label", t("New name of this chat"));
  element.append(input);
  input.select();
  return input;
}

/** Resolves with the typed title on Enter or blur; with "" on Escape.
 * @param {HTMLInputElement} input @returns {Promise<string>} */
function typedInto(input) {
  return new Promise((resolve) => {
    input.onblur = () => resolve(input.value.trim());
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.isComposing) return;
      if (event.key === "Enter") resolve(input.value.trim());
      if (event.key === "Escape") resolve("");
    };
  });
}

/** Says in the row why it is not changed; "" takes it back. @param {HTMLElement} element @param {string} sentence */
function say(element, sentence) {
  element.querySelector("[role=alert]")?.remove();
  if (!sentence) return;
  const place = document.createElement("p");
  place.setAttribute("role", "alert");
  element.append(place);
  place.textContent = sentence;
}
