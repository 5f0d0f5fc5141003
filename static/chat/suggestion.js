/**
 * The questions that an empty chat offers.
 */

/**
 * A question is sent; one that is about a photo waits in the box until there is one.
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
