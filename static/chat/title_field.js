/**
 * The field to rename a chat, over its row in the list.
 */
import { t } from "./words.js";

/** Resolves with the typed title on Enter or blur; with "" on Escape.
 * @param {HTMLElement} element @param {string} before @returns {Promise<string>} */
export async function typedInto(element, before) {
  const input = document.createElement("input");
  input.value = before;
  input.maxLength = 200;
  input.setAttribute("aria-label", t("New name of this chat"));
  element.append(input);
  element.dataset.renaming = "";
  input.select();
  const typed = await new Promise((resolve) => {
    input.addEventListener("blur", () => resolve(input.value.trim()));
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing) return;
      if (event.key === "Enter") resolve(input.value.trim());
      if (event.key === "Escape") resolve("");
    });
  });
  const hadFocus = document.activeElement === input;
  input.remove();
  delete element.dataset.renaming;
  if (hadFocus) element.querySelector("a")?.focus();
  return typed;
}
