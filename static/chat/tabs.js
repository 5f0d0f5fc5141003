/**
 * Locks and channels between this browser's tabs; null without locks, on plain HTTP from another machine.
 */

/** @type {Tabs | null} */
export const tabs = globalThis.navigator?.locks
  ? { locks: navigator.locks, channel: (name) => new BroadcastChannel(name) }
  : null;
