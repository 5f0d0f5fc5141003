import assert from "node:assert/strict";
import { test } from "node:test";
import { Later } from "../../static/chat/later.js";

test("what is used later is loaded once, and a load that fails is tried again by the next use", async () => {
  let loads = 0;
  /** @type {number[]} */
  const used = [];
  const later = new Later(async () => {
    loads += 1;
    if (loads === 1) throw new Error("no network");
    return loads;
  });
  later.use((loaded) => used.push(loaded));
  await assert.rejects(later.get(), /no network/);
  later.use((loaded) => used.push(loaded));
  later.use((loaded) => used.push(loaded));
  await later.get();
  await null;
  assert.deepEqual(used, [2, 2]);
  assert.equal(loads, 2);
});
