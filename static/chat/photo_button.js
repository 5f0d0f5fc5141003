/**
 * A photo on the page that can be looked at.
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
