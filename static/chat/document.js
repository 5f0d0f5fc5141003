/**
 * The page around the conversation: its title, the line for problems, and the CSRF token.
 */

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
export const template = (id) => /** @type {HTMLTemplateElement} */ (/** @type {unknown} */ (byId(id)));

export const app = /** @type {HTMLElement} */ (document.querySelector(".app"));

/** The newest CSRF token: signing in as a guest changes it, and the cookie with it. */
export function csrf() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith(`${app.dataset.csrfCookie}=`));
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"));
  return cookie?.split("=")[1] ?? field?.value ?? "";
}

/** Shows a problem, until the next call; "" hides it. @param {string} sentence */
export function problem(sentence) {
  const place = byId("problem");
  place.textContent = sentence;
  place.hidden = !sentence;
}

/** What the last action failed by. */
let failure = "";

/** Shows what an action failed by, until the next action. @param {string} sentence */
export function failed(sentence) {
  failure = sentence;
  problem(sentence);
}

/** Does what a control or a key asks for. @param {() => unknown} action */
export async function attempt(action) {
  if (failure && byId("problem").textContent === failure) problem("");
  try {
    await action();
  } catch (error) {
    failed(/** @type {Error} */ (error).message);
  }
}

/** @param {string} title */
export function name(title) {
  byId("title").textContent = title;
  document.title = `${title} · WonderCam`;
}

/**
 * Opens a dialog with a field at once, so that it gets what is typed while its module is on its way.
 * @param {string} id @param {() => Promise<void>} act makes it act; after a failure it is closed again
 */
export async function openAtOnce(id, act) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id));
  /** @type {HTMLInputElement} */ (dialog.querySelector("input")).value = "";
  dialog.showModal();
  try {
    await act();
  } catch (error) {
    dialog.close();
    throw error;
  }
}
