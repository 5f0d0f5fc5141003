/**
 * The connection's legal moves (drawn in docs/client.md), and how long it waits between tries.
 */

/** @type {Readonly<Record<State, readonly State[]>>} */
export const MOVES = {
  idle: ["sending", "streaming"],
  sending: ["streaming", "waiting", "ended"],
  streaming: ["waiting", "polling", "ended"],
  waiting: ["sending", "streaming", "polling", "ended"],
  polling: ["waiting", "ended"],
  ended: [],
};

/**
 * The new state, or an Error where the table has no such move.
 * @param {State} from
 * @param {State} to
 * @returns {State}
 */
export function move(from, to) {
  if (!MOVES[from].includes(to)) throw new Error(`A connection cannot go from ${from} to ${to}.`);
  return to;
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
