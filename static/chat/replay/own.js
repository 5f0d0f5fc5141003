/**
 * The replay of an answer of one's own: its stream is read once more, from its beginning and with its times, and played
 * in a dialog. The page's session may read it, so no token is asked for.
 */
import { clock } from "../clock.js";
import { template } from "../document.js";
import { refusal } from "../errors.js";
import { Player } from "./player.js";
import { recorded } from "./recorded.js";

/** Opens the replay of this stream. Throws Refused where it cannot be read, as when its recording is gone.
 * @param {string} stream */
export async function open(stream) {
  const response = await fetch(`/v2/streams/${stream}?poll=1`, { headers: { "X-WonderCam-Timing": "1" } });
  if (!response.ok) throw await refusal(response);
  const events = recorded(await response.text());
  const made = /** @type {DocumentFragment} */ (template("replay").content.cloneNode(true));
  const dialog = /** @type {HTMLDialogElement} */ (made.querySelector("dialog"));
  document.body.append(dialog);
  const player = new Player(dialog, events, { clock });
  dialog.addEventListener("close", () => {
    player.pause();
    dialog.remove();
  });
  dialog.showModal();
}
