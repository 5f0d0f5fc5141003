/**
 * The suggested questions of an empty chat.
 */

/**
 * Sends a question; one about a photo stays in the box until there is a photo.
 * @param {HTMLElement} button
 * @param {{composer: import("./composer.js").Composer, send: (text: string) => unknown, files: HTMLElement,
 *          hasPhoto: boolean}} means `files` asks for a photo
 */
export function suggest(button, { composer, send, files, hasPhoto }) {
  const text = button.textContent?.trim() ?? "";
  if ("photo" in button.dataset && !hasPhoto) {
    composer.fill(text);
    return files.click();
  }
  composer.refocus();
  return void send(text);
}
