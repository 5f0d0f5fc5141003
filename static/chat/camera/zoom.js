/**
 * The visible part of a photo in a box, as a value that gestures and keys change. Pure functions.
 *
 * At scale 1 the whole photo fits. `x` and `y` are the photo's centre relative to the box's centre, in px.
 */

export const MOST = 8;

/** @type {View} */
export const WHOLE = { scale: 1, x: 0, y: 0 };

/** The size of the photo at scale 1. @param {Size} photo @param {Size} box @returns {Size} */
export function fitted(photo, box) {
  const scale = Math.min(box.width / photo.width, box.height / photo.height);
  return { width: photo.width * scale, height: photo.height * scale };
}

/**
 * Zooms by a factor, with the point `at` fixed.
 * @param {View} view
 * @param {number} factor
 * @param {{x: number, y: number}} at from the box's centre, in px
 * @param {Size} photo @param {Size} box
 * @returns {View}
 */
export function zoomed(view, factor, at, photo, box) {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  const grown = scale / view.scale;
  return kept({ scale, x: at.x - (at.x - view.x) * grown, y: at.y - (at.y - view.y) * grown }, photo, box);
}

/** @param {View} view @param {number} x @param {number} y @param {Size} photo @param {Size} box @returns {View} */
export function moved(view, x, y, photo, box) {
  return kept({ ...view, x: view.x + x, y: view.y + y }, photo, box);
}

/** Limits the view to the photo's edges. @param {View} view @param {Size} photo @param {Size} box @returns {View} */
function kept(view, photo, box) {
  const { width, height } = fitted(photo, box);
  const within = (/** @type {number} */ off, /** @type {number} */ side, /** @type {number} */ room) => {
    const most = Math.max(0, (side * view.scale - room) / 2);
    return Math.min(most, Math.max(-most, off));
  };
  return { ...view, x: within(view.x, width, box.width), y: within(view.y, height, box.height) };
}

/**
 * The part of the photo that is visible, in its own pixels.
 * @param {View} view @param {Size} photo @param {Size} box
 * @returns {{x: number, y: number, width: number, height: number}}
 */
export function part(view, photo, box) {
  const pixels = photo.width / (fitted(photo, box).width * view.scale);
  const width = Math.min(photo.width, box.width * pixels);
  const height = Math.min(photo.height, box.height * pixels);
  return {
    x: Math.round((photo.width - width) / 2 - view.x * pixels),
    y: Math.round((photo.height - height) / 2 - view.y * pixels),
    width: Math.round(width),
    height: Math.round(height),
  };
}
