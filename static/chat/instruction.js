/**
 * The instructions of the chat that is shown, which the model follows in every answer. They stand in the page; those of a
 * chat that has not begun go along with its first question, and are kept when it has an address.
 */
import { byId, failed } from "./document.js";

/** Opens the dialog to edit them. @param {JsonRequester} session @param {string} chat "" for a new one */
export function edit(session, chat) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("instruction-dialog"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("system"));
  const said = /** @type {HTMLElement} */ (form.querySelector("[data-part=said]"));
  const cancel = /** @type {HTMLElement} */ (form.querySelector("[data-part=cancel]"));
  field.value = byId("instruction").textContent ?? "";
  said.textContent = "";
  cancel.onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    try {
      if (chat) await store(session, chat, text);
      byId("instruction").textContent = text;
      dialog.close();
    } catch (error) {
      said.textContent = /** @type {Error} */ (error).message;
    }
  };
  dialog.showModal();
  field.focus();
}

/** Stores those of a chat that has just begun. @param {JsonRequester} session @param {string} chat */
export async function keep(session, chat) {
  try {
    await store(session, chat, byId("instruction").textContent ?? "");
  } catch (error) {
    failed(/** @type {Error} */ (error).message);
  }
}

/** @param {JsonRequester} session @param {string} chat @param {string} system */
const store = (session, chat, system) => session.json("PATCH", `/v2/conversations/${chat}`, { system });
