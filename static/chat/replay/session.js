/**
 * The replay on a stream's page of the admin: its recording is fetched, and what the four clocks say of the event that
 * stands there is shown under it and in their picture.
 */
import { clock } from "../clock.js";
import { Player } from "./player.js";

/** @param {HTMLElement} root */
async function begin(root) {
  const response = await fetch(root.dataset.source ?? "");
  const said = /** @type {HTMLElement} */ (root.querySelector("[data-part=clocks]"));
  if (!response.ok) {
    said.textContent = `The recording cannot be read (${response.status}).`;
    return;
  }
  /** @type {{events: {at: number, response: GeminiResponse}[], clocks: string[], end: number, more: boolean}} */
  const { events, clocks, end, more } = await response.json();
  const cursor = document.querySelector(".ways .cursor");
  new Player(root, events, {
    clock,
    moved(count, now) {
      said.textContent = clocks[count - 1] ?? (more ? "The recording is longer than is played here." : "");
      if (cursor && end) cursor.setAttribute("d", `M${(now / end) * 1200} 0V250`);
    },
  });
}

for (const root of document.querySelectorAll(".replay[data-source]")) {
  void begin(/** @type {HTMLElement} */ (root));
}
