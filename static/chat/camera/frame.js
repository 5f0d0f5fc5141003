/**
 * One frame of the picture as a photo: what the viewfinder shows, upright and never mirrored.
 */

const LARGEST_SIDE = 2048;
const QUALITY = 0.9;

/**
 * The part of a picture that is visible in a box that it covers (`object-fit: cover`), in the picture's own pixels.
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} box
 */
export function visible(picture, box) {
  if (!box.width || !box.height) return { x: 0, y: 0, width: picture.width, height: picture.height };
  const scale = Math.max(box.width / picture.width, box.height / picture.height);
  const width = Math.min(picture.width, box.width / scale);
  const height = Math.min(picture.height, box.height / scale);
  return { x: (picture.width - width) / 2, y: (picture.height - height) / 2, width, height };
}

/**
 * The frame that is shown at this moment; it is drawn before anything is awaited.
 * @param {HTMLVideoElement} video
 * @param {string} name
 * @returns {Promise<File>}
 */
export async function take(video, name) {
  const picture = { width: video.videoWidth, height: video.videoHeight };
  const isCovering = getComputedStyle(video).objectFit === "cover";
  const box = isCovering ? { width: video.clientWidth, height: video.clientHeight } : picture;
  const { x, y, width, height } = visible(picture, box);
  const scale = Math.min(1, LARGEST_SIDE / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  canvas.getContext("2d")?.drawImage(video, x, y, width, height, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return new File([blob], name, { type: blob.type });
}
