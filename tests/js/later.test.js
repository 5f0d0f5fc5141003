import assert from "node:assert/strict";
import { test } from "node:test";
import { Later, load } from "../../static/chat/later.js";

test("what is used later is loaded once, and a load that fails is tried again by the next use", async () => {
  let loads = 0;
  /** @type {unknown[]} */
  const used = [];
  const later = new Later(
    "camera",
    (module) => module,
    async (name) => {
      loads += 1;
      if (loads === 1) throw new Error("no network");
      return /** @type {any} */ (`${name} ${loads}`);
    },
  );
  later.use((loaded) => used.push(loaded));
  await assert.rejects(later.get(), /no network/);
  later.use((loaded) => used.push(loaded));
  later.use((loaded) => used.push(loaded));
  await later.get();
  await null;
  assert.deepEqual(used, ["camera 2", "camera 2"]);
  assert.equal(loads, 2);
});

test("a module that cannot be loaded is named, with what to do", async () => {
  const problem = "Could not load the camera. Look at the connection, then try again.";
  await assert.rejects(load("camera"), { message: problem });
});
