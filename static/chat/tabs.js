/**
 * The tabs of this browser, as this one reaches the others; null where pages have no locks: plain HTTP from another machine.
 */

/** @type {Tabs | null} */
export const tabs = globalThis.navigator?.locks
  ? { locks: navigator.locks, channel: (name) => new BroadcastChannel(name) }
  : null;
