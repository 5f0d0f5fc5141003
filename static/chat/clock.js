/**
 * The browser's clock, which is injected so that tests can use their own.
 */

/** @type {Clock} */
export const clock = {
  now: () => performance.now(),
  after(delay, call) {
    const timer = setTimeout(call, delay);
    return () => clearTimeout(timer);
  },
};
