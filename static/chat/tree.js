/**
 * The tree of a conversation: edits and new answers are siblings, and one path through it is shown.
 */

/**
 * The messages from the first to the leaf, oldest first.
 * @param {Transcript} transcript
 * @returns {Message[]}
 */
export function path({ messages, leaf }) {
  const known = new Map(messages.map((found) => [found.key, found]));
  const found = [];
  for (let step = known.get(leaf); step; step = known.get(step.parent)) found.push(step);
  return found.reverse();
}

/**
 * The versions of each message, itself among them, by its key: what follows the same message and is said by the same side.
 * @param {Transcript} transcript
 * @returns {Map<string, Message[]>}
 */
export function versions({ messages }) {
  /** @type {Map<string, Message[]>} */
  const places = new Map();
  const found = new Map();
  for (const message of messages) {
    const place = `${message.role} ${message.parent}`;
    const here = places.get(place) ?? [];
    if (!here.length) places.set(place, here);
    here.push(message);
    found.set(message.key, here);
  }
  return found;
}

/**
 * The newest message below this one, or this one if it is a leaf.
 * @param {Transcript} transcript
 * @param {string} key
 */
export function newestBelow({ messages }, key) {
  const below = new Set([key]);
  let newest = key;
  for (const found of messages) {
    if (!below.has(found.parent)) continue;
    below.add(found.key);
    newest = found.key;
  }
  return newest;
}
