/**
 * Converts photos for sending: JPEG, with the largest side that models use.
 */
import { t } from "./words.js";

/** A camera's picture, and a photo that was chosen: text in it stays readable. In px. */
const LARGEST_SIDE = 2048;
const LARGEST_CHOSEN = 3072;
const LARGEST_BYTES = 5 * 1024 * 1024;
const QUALITY = 0.9;

/**
 * A part of a picture as a JPEG. It is drawn before any await, so of a video it is the current frame.
 * @param {CanvasImageSource} picture
 * @param {{x: number, y: number, width: number, height: number}} part in the picture's own pixels
 * @param {string} name
 * @param {number} [largest] no side is longer, in px
 * @returns {Promise<File>}
 */
export async function jpeg(picture, { x, y, width, height }, name, largest = LARGEST_SIDE) {
  const scale = Math.min(1, largest / Math.max(width, height));
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
 * The photo for sending: decoded by the browser, whatever its name and type are, upright, and encoded again, so that
 * only its pixels are sent. Throws an Error with a sentence.
 * @param {File} file
 * @returns {Promise<File>}
 */
export async function prepared(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(async () => {
    throw new Error(unreadable(file.name, await kindOf(file)));
  });
  const { width, height } = bitmap;
  for (const side of [LARGEST_CHOSEN, LARGEST_SIDE]) {
    const made = await jpeg(bitmap, { x: 0, y: 0, width, height }, "photo.jpg", side);
    if (made.size <= LARGEST_BYTES) return made;
  }
  throw new Error(t("“{name}” is larger than 5 MB: choose a smaller one.", { name: file.name }));
}

/** The kind of file by its first bytes: "heic", "image" or "", as for a folder, of which there is nothing to read.
 * @param {Blob} file */
async function kindOf(file) {
  const bytes = file.slice(0, 16).arrayBuffer();
  const head = new Uint8Array(await bytes.catch(() => new ArrayBuffer(0)));
  const text = String.fromCharCode(...head);
  if (text.slice(4, 8) === "ftyp" && /^(hei|hev|mif1|msf1)/.test(text.slice(8))) return "heic";
  return /^(\xff\xd8\xff|\x89PNG|RIFF....WEBP|GIF8|BM)/s.test(text) ? "image" : "";
}

/** @param {string} name @param {string} kind */
function unreadable(name, kind) {
  if (kind === "heic")
    return t("“{name}” is a HEIC photo, which this browser cannot read. Save it as JPEG and attach that.", { name });
  if (kind === "image") return t("“{name}” is damaged: it cannot be read as a photo.", { name });
  return t("“{name}” is not a photo that this browser can read: choose JPEG, PNG or WebP.", { name });
}
