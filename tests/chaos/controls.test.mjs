// The laws hold, and builds in which one judgement is wrong break them: a suite that cannot fail proves nothing.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, test } from "node:test";

import { engines, postgres_admin, prepared } from "./chaos.mjs";
import { laws } from "./laws.mjs";
import { binary } from "../runner/server.mjs";

const true_ones = { older: "basalt", newer: "basalt-next" };
// Which law notices which fault, and on which engines it can be seen.
const controls = [
  { law: "who_lost_the_fence_commits_nothing", fault: "no-fence", on: ["postgres"] },
  { law: "an_old_node_writes_nothing", fault: "no-fence", on: engines },
  { law: "down_and_up_gives_all_back", fault: "wrong-down", on: engines },
  { law: "a_spoiled_backup_is_noticed", fault: "blind", on: engines },
];

for (const { law, fault, on } of controls)
  for (const engine of on) {
    const there = (t) => { if (engine === "postgres" && !postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return false; } return true; };
    test(`${engine}: ${law.replaceAll("_", " ")}`, async (t) => { if (there(t)) await laws[law](engine, true_ones); });
    test(`${engine}: ${law.replaceAll("_", " ")}, and the build ${fault} is caught`, async (t) => {
      if (!there(t)) return;
      const faulty = { older: `basalt-${fault}`, newer: `basalt-next-${fault}` };
      for (const name of Object.values(faulty)) assert.ok(existsSync(binary(name)), `${name} is not built (target chaos-controls)`);
      const caught = await laws[law](engine, faulty).then(() => undefined, (error) => error);
      assert.ok(caught, "the suite does not notice");
      assert.equal(caught.code, "ERR_ASSERTION", `it failed, but of something else: ${caught.stack}`);
      assert.doesNotMatch(caught.message, /no moment was found|ENOENT/);
      t.diagnostic(`caught: ${caught.message.split("\n")[0].slice(0, 160)}`);
    });
  }

after(async () => {
  for (const engine of engines) {
    if (engine === "postgres" && !postgres_admin) continue;
    const { one, four } = await prepared(engine);
    await one.remove();
    await four.remove();
  }
});
