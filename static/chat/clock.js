/**
 * The browser's time, as a thing that is handed in: a test hands in one that it moves.
 */

/** @type {Clock} */
export const clock = {
  now: () => performance.now(),
  after(delay, call) {
    const timer = setTimeout(call, delay);
    return () => clearTimeout(timer);
  },
};
