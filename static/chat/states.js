/**
 * The connection's legal transitions (drawn in docs/client.md), and how long it waits between tries.
 */

/** @type {Readonly<Record<State, readonly State[]>>} */
export const TRANSITIONS = {
  idle: ["sending", "streaming"],
  sending: ["streaming", "polling", "waiting", "ended"],
  streaming: ["waiting", "polling", "ended"],
  waiting: ["sending", "streaming", "polling", "ended"],
  polling: ["waiting", "streaming", "ended"],
  ended: [],
};

/**
 * The new state. Throws an Error for a transition that is not in the table.
 * @param {State} from
 * @param {State} to
 * @returns {State}
 */
export function transition(from, to) {
  if (!TRANSITIONS[from].includes(to)) throw new Error(`A connection cannot go from ${from} to ${to}.`);
  return to;
}

/**
 * The query of the next request: the cursor, and whether to read only stored events.
 * @param {boolean} held
 * @param {number} seq the last event that was read
 */
export function queryOf(held, seq) {
  const query = new URLSearchParams(held ? { poll: "1" } : {});
  if (seq >= 0) query.set("after", String(seq));
  return query.size ? `?${query}` : "";
}

const FIRST = 500;
const LONGEST = 15_000;

/**
 * Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): anything from 0 to the doubled delay, in ms.
 * @param {number} tries how many have failed in a row, from 1
 * @param {() => number} random from 0 up to 1
 */
export function backoff(tries, random) {
  return random() * Math.min(LONGEST, FIRST * 2 ** (tries - 1));
}
