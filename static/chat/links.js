/**
 * The URLs that a model's text may link to: absolute ones with http, https or mailto.
 */

const ALLOWED = new Set(["http:", "https:", "mailto:"]);
/** @type {Record<string, string>} */
const NAMED = { amp: "&", colon: ":", sol: "/", lt: "<", gt: ">", quot: '"', apos: "'", Tab: "", NewLine: "" };

/** @param {string} address */
function decoded(address) {
  return address.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi, (all, hex, decimal, name) => {
    if (name) return NAMED[name] ?? all;
    const point = Number.parseInt(hex ?? decimal, hex ? 16 : 10);
    return point <= 0x10ffff ? String.fromCodePoint(point) : "";
  });
}

/**
 * The URL for a link, or null if it is not safe.
 * @param {string} address as it stands in the text
 * @returns {URL | null}
 */
export function safeUrl(address) {
  // URL drops tabs and line ends by itself (WHATWG URL, 4.4); other control characters are removed here.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const plain = decoded(address).replace(/[\u0000-\u0020\u007f-\u009f]/g, "");
  const url = URL.canParse(plain) ? new URL(plain) : null;
  return url && ALLOWED.has(url.protocol) ? url : null;
}

/** The text about a link's target: the host as the browser resolves it. @param {URL} url */
export function hostOf(url) {
  return url.protocol === "mailto:" ? url.pathname : url.host;
}

/** Whether the link's own text already names its target. @param {string} text @param {URL} url */
export function saysHost(text, url) {
  const shown = text.trim().replace(/^(https?:\/\/|mailto:)/i, "");
  const host = hostOf(url);
  return shown === host || ["/", "?", "#"].some((mark) => shown.startsWith(host + mark));
}
