/**
 * A replay in a dialog of the page: of an answer of one's own, or of the example that comes with the page.
 */
import { clock } from "../clock.js";
import { template } from "../document.js";
import { refusal } from "../errors.js";
import { Player } from "./player.js";
import { recorded } from "./recorded.js";

/** Opens the replay of this stream, at its end. The page's session may read it, so no token is asked for. Throws Refused
 * where it cannot be read, as when its recording is gone. @param {string} stream */
export async function open(stream) {
  show(await read(`/v2/streams/${stream}?poll=1`));
}

/** Plays the example: an answer recorded from this product, under the question and the photo that it answers.
 * @param {HTMLElement} button names the recording and the photo by their addresses */
export async function playExample({ dataset: { recording = "", photo = "", question = "" } }) {
  const { dialog, player } = show(await read(recording));
  const asked = /** @type {HTMLElement} */ (dialog.querySelector("[data-part=asked]"));
  const image = /** @type {HTMLImageElement} */ (asked.querySelector("img"));
  image.src = photo;
  image.alt = question;
  /** @type {HTMLElement} */ (asked.querySelector("p")).textContent = question;
  asked.hidden = false;
  player.play();
}

/** @param {string} address of a stream's body */
async function read(address) {
  const response = await fetch(address, { headers: { "X-WonderCam-Timing": "1" } });
  if (!response.ok) throw await refusal(response);
  return recorded(await response.text());
}

/** @param {{at: number, response: GeminiResponse}[]} events */
function show(events) {
  const made = /** @type {DocumentFragment} */ (template("replay").content.cloneNode(true));
  const dialog = /** @type {HTMLDialogElement} */ (made.querySelector("dialog"));
  document.body.append(dialog);
  const player = new Player(dialog, events, { clock });
  dialog.addEventListener("close", () => {
    player.pause();
    dialog.remove();
  });
  dialog.showModal();
  return { dialog, player };
}
