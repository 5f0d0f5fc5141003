/**
 * Character references, by name and number.
 */

const ENTITY = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/iy;
/** @type {Record<string, string>} */
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…" };
Object.assign(ENTITIES, { ndash: "–", mdash: "—", times: "×", deg: "°", rarr: "→", larr: "←" });

/** The character that is named here, and what that takes; null where none is. @param {string} text @param {number} at */
export function entityAt(text, at) {
  ENTITY.lastIndex = at;
  const found = ENTITY.exec(text);
  if (!found) return null;
  const [all, hex, decimal, name] = found;
  const point = Number.parseInt(hex ?? decimal ?? "", hex ? 16 : 10);
  const character = name ? ENTITIES[name] : point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
  return character === undefined ? null : { text: character, length: all.length };
}
