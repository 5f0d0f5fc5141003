/**
 * Photos as files that can be sent: JPEG, and no side longer than the models look at.
 */

const LARGEST_SIDE = 2048;
const QUALITY = 0.9;

/**
 * A part of a picture as a JPEG. It is drawn before anything is awaited, so of a video it is this very frame.
 * @param {CanvasImageSource} picture
 * @param {{x: number, y: number, width: number, height: number}} part in the picture's own pixels
 * @param {string} name
 * @returns {Promise<File>}
 */
export async function jpeg(picture, { x, y, width, height }, name) {
  const scale = Math.min(1, LARGEST_SIDE / Math.max(width, height));
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(across, down);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  context.fillStyle = "white"; // what is transparent would become black
  context.fillRect(0, 0, across, down);
  context.drawImage(picture, x, y, width, height, 0, 0, across, down);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return new File([blob], name, { type: blob.type });
}

/**
 * The photo, upright; as it is where it is small already.
 * @param {File} file
 * @param {number} largest in bytes
 * @returns {Promise<Blob>}
 */
export async function shrink(file, largest) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const { width, height } = bitmap;
  if (Math.max(width, height) <= LARGEST_SIDE && file.size <= largest) return file;
  return jpeg(bitmap, { x: 0, y: 0, width, height }, file.name);
}
