/**
 * Downloads a photo before this returns: what prints by its menu waits for the handler of `beforeprint`, and for nothing
 * that this begins. A synchronous request is the only one that such a page gets its photos by; nothing else is moved
 * meanwhile, for the browser's own dialog comes next. The session's token may have run out by then, so it gets its own.
 */

/** What downloads one photo, null where there is none now. @param {() => string} csrf
 * @returns {(attachment: string) => Blob | null} */
export function downloads(csrf) {
  let access = "";
  return (attachment) => {
    try {
      access ||= JSON.parse(ask("POST", "/v2/auth/session", { "X-CSRFToken": csrf() }).responseText).access;
      const { status, responseText } = ask("GET", `/v2/attachments/${attachment}`, {
        Authorization: `Bearer ${access}`,
      });
      if (status !== 200) return null;
      return new Blob([Uint8Array.from(responseText, (byte) => byte.charCodeAt(0))]); // of each character its last 8 bits
    } catch {
      return null; // without a network the others are printed
    }
  };
}

/** @param {string} method @param {string} path @param {Record<string, string>} headers */
function ask(method, path, headers) {
  const request = new XMLHttpRequest();
  request.open(method, path, false);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.overrideMimeType("text/plain; charset=x-user-defined"); // bytes: such a request has no other type of response
  request.send();
  return request;
}
