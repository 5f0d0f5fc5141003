/**
 * The sentences about camera errors, one for each of the browsers' error names.
 *
 * The names are those of the Media Capture specification
 * (https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia).
 */
import { t } from "../words.js";

const INSECURE = t(
  "Browsers open a camera only for pages that came by HTTPS or from this same machine, and this page came by plain " +
    "HTTP. Open it by HTTPS, or take a photo with the button below: that works here too.",
);
const MISSING = t(
  "This browser gives pages no camera. Take a photo with the button below, or open this page in another browser.",
);
const DENIED = t(
  "This page may not use the camera. Allow it in the browser, by the sign beside the address, and try again; or take " +
    "a photo with the button below.",
);
const DENIED_BY_SYSTEM = t(
  "The system does not let this browser use the camera. Allow it in the system's privacy settings and try again; or " +
    "take a photo with the button below.",
);
const ABSENT = t("No camera was found. Connect one and try again, or choose a photo with the button below.");
const BUSY = t("The camera is in use by another program or page. Close that one and try again.");
const UNFIT = t("This camera cannot give the picture that was asked for. Choose another camera, or try again.");
const FORBIDDEN = t("Cameras are switched off in this browser's settings. Choose a photo with the button below.");
const UNKNOWN = t("The camera did not open. Try again, or choose a photo with the button below.");
export const GONE = t(
  "The camera was disconnected. Connect it and try again, or choose a photo with the button below.",
);
export const SCREEN_ENDED = t("The screen is shared no more.");
export const SCREEN_FAILED = t("The screen could not be shared: the system or the browser does not allow it.");

/** @type {Record<string, string>} */
const SENTENCES = {
  NotAllowedError: DENIED,
  NotFoundError: ABSENT,
  NotReadableError: BUSY,
  AbortError: BUSY,
  OverconstrainedError: UNFIT,
  SecurityError: FORBIDDEN,
};

/**
 * Why a camera cannot be requested, or "".
 * @param {{isSecureContext: boolean, navigator: {mediaDevices?: {getUserMedia?: unknown}}}} browser
 */
export function hindrance({ isSecureContext, navigator }) {
  if (navigator.mediaDevices?.getUserMedia) return "";
  return isSecureContext ? MISSING : INSECURE;
}

/** The sentence for an error of `getUserMedia`. @param {unknown} error */
export function sentence(error) {
  const { name, message } = /** @type {Error} */ (error);
  // Chrome and Edge: "Permission denied by system".
  if (name === "NotAllowedError" && /system/i.test(message)) return DENIED_BY_SYSTEM;
  return SENTENCES[name] ?? UNKNOWN;
}
