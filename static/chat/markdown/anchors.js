/**
 * Links: bare URLs, URLs in angle brackets, and those after a link's text.
 */
import { hostOf, safeUrl, saysHost } from "../links.js";

/** @typedef {import("./delimiters.js").Node} Node */

const ADDRESS = /(?:https?:\/\/|www\.)[^\s<>"`[\]]{1,2000}/y;
const TARGET =
  /\(\s{0,9}(?:<([^<>\n]{0,2000})>|([^\s()<>]{0,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500}){0,3}))(?:\s{1,9}(?:"[^"]{0,500}"|'[^']{0,500}'))?\s{0,9}\)/y;
const LABEL = /\[([^[\]]{0,200})\]/y;
const AUTOLINK = /<((?:https?|mailto):[^\s<>]{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})>/iy;

/** The address that begins here, without the punctuation that ends its sentence; "" for none. @param {string} text
 * @param {number} at */
export function addressAt(text, at) {
  ADDRESS.lastIndex = at;
  return trimmed(ADDRESS.exec(text)?.[0] ?? "");
}

/** The address in angles that begins here, and what it takes. @param {string} text @param {number} at */
export function angledAt(text, at) {
  AUTOLINK.lastIndex = at;
  const found = AUTOLINK.exec(text);
  return found && { address: found[1], length: found[0].length };
}

/**
 * Where a link leads whose text begins at `from` and ends before the bracket at `at`; null where it is no link.
 * @param {string} text @param {number} from @param {number} at
 * @param {Map<string, string>} definitions
 * @returns {{address: string, length: number} | null} with what it takes from the bracket on
 */
export function targetAt(text, from, at, definitions) {
  TARGET.lastIndex = LABEL.lastIndex = at + 1;
  const direct = TARGET.exec(text);
  if (direct) return { address: direct[1] ?? direct[2], length: 1 + direct[0].length };
  const named = LABEL.exec(text);
  const name = named?.[1] || (at - from <= 200 ? text.slice(from, at) : "");
  const address = definitions.get(name.toLowerCase());
  return address === undefined ? null : { address, length: 1 + (named?.[0].length ?? 0) };
}

/**
 * What a link consists of: its attributes, none where its address is not a safe one, and what stands in it, the host
 * included where the text does not say it.
 * @param {string} address @param {Node[]} within
 * @returns {{kids: Node[], attributes: Record<string, string> | undefined}}
 */
export function linkTo(address, within) {
  const kids = within.flatMap((kid) => (typeof kid !== "string" && kid.tag === "a" ? kid.kids : [kid]));
  const url = safeUrl(address);
  if (!url) return { kids, attributes: undefined };
  const attributes = { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" };
  if (saysHost(textOf(kids), url)) return { kids, attributes };
  return { kids: [...kids, { tag: "bdi", kids: [hostOf(url)], attributes: { class: "host" }, depth: 1 }], attributes };
}

/** An address without the punctuation that ends its sentence. @param {string} address */
function trimmed(address) {
  let open = 0;
  for (const character of address) open += character === "(" ? 1 : character === ")" ? -1 : 0;
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1];
    if (last === ")" && open < 0) open += 1;
    else if (!"?!.,:;*_~'\"]}$".includes(last)) break;
  }
  return address.slice(0, end);
}

/** @param {Node[]} nodes @returns {string} */
function textOf(nodes) {
  return nodes.map((node) => (typeof node === "string" ? node : textOf(node.kids))).join("");
}
