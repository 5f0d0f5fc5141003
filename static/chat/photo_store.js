/**
 * Uploads and downloads photos and sounds.
 */
import { refusal } from "./errors.js";

/** @param {Requester} session @param {Blob} file @param {string} [what] or "sound" @returns {Promise<string>} its id */
export async function upload(session, file, what = "photo") {
  const form = new FormData();
  form.append(what, file, what);
  const response = await session.request("/v2/attachments", { method: "POST", body: form });
  if (!response.ok) throw await refusal(response);
  return (await response.json()).id;
}

/** Deletes a photo that no message has; one of a message stays. @param {Requester} session @param {string} id */
export const discard = (session, id) => session.request(`/v2/attachments/${id}`, { method: "DELETE" });

/** A stored photo; null for a deleted one or another user's. Throws where it may be there later.
 * @param {Requester} session @param {string} id */
export async function download(session, id) {
  const response = await session.request(`/v2/attachments/${id}`);
  if (response.ok) return response.blob();
  if (response.status === 404) return null;
  throw await refusal(response);
}
