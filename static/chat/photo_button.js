/**
 * The elements of a photo, with a button to enlarge it, and of a sound.
 */
import { t } from "./words.js";

/** A button around a photo's image. @param {string} name */
export function photoButton(name) {
  const image = document.createElement("img");
  image.alt = name;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "photo";
  button.dataset.do = "show-photo";
  button.title = t("Look closer");
  button.append(image);
  return { button, image };
}

/** A sound's player. */
export function soundPlayer() {
  const player = document.createElement("audio");
  player.controls = true;
  player.setAttribute("aria-label", t("Spoken question"));
  return player;
}
