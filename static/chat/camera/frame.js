/**
 * One frame of the video as a photo: the part in the viewfinder, upright and not mirrored.
 */
import { jpeg } from "../photo_file.js";

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
 * The current frame, which is drawn before any await.
 * @param {HTMLVideoElement} video
 * @param {string} name
 * @returns {Promise<File>}
 */
export function take(video, name) {
  const picture = { width: video.videoWidth, height: video.videoHeight };
  const isCovering = getComputedStyle(video).objectFit === "cover";
  const box = isCovering ? { width: video.clientWidth, height: video.clientHeight } : picture;
  return jpeg(video, visible(picture, box), name);
}
