// Laws that hold for the true binaries and are broken by each faulty build: `names` says which binaries to use.
import assert from "node:assert/strict";

import { asleep, differences, prepared, same } from "./chaos.mjs";
import { administrator } from "../runner/server.mjs";

// Somebody else took the upgrade over while this one slept: it changes nothing any more.
export async function who_lost_the_fence_commits_nothing(engine, { newer }) {
  const { one } = await prepared(engine);
  const { calls, place: clean } = await one.traced(newer, ["migrate", "up"]);
  const goal = await clean.look();
  await clean.remove();
  const points = (engine === "postgres" ? calls.filter(({ call }) => call === "send") : calls).map(({ n }) => n);
  let tried = 0;
  for (let part = 0.2; part < 1 && tried < 2; part += 0.02) {
    const place = await one.copy();
    const first = await asleep(place, newer, ["migrate", "up"], points[Math.floor(points.length * part)]);
    if (!first) { await place.remove(); continue; }
    // Only while it holds the lock, and between its transactions; else nobody could take over.
    let taken = false, before;
    try {
      before = await place.look_now();
      const owner = (await place.rows("SELECT owner_pid FROM upgrade_lock WHERE name = 'upgrade'"))[0][0];
      if (owner === String(first.child.pid) && !same(before, goal)) {
        await place.change(`${engine === "postgres" ? "SET lock_timeout = '200ms'; " : ""}UPDATE upgrade_lock SET fence = fence + 1, owner_pid = 1 WHERE name = 'upgrade'`);
        taken = true;
      }
    } catch { /* a transaction of its own is open */ }
    first.child.kill("SIGCONT");
    const woken = await first.ended;
    if (taken) {
      ++tried;
      const seen = await place.look();
      assert.ok(same(seen, before), `it lost the fence and changed the data: ${differences(before, seen).slice(0, 3).join("; ")}`);
      assert.ok(![0, 10].includes(woken.code), `it lost the fence and says ${woken.code}`);
    }
    await place.remove();
  }
  assert.ok(tried > 0, "no moment was found at which somebody else can take over");
}

// A node too old for the data, which slept through the upgrade, writes nothing when it wakes.
export async function an_old_node_writes_nothing(engine, { older, newer }) {
  const place = await (await prepared(engine)).one.copy();
  const server = place.server(older);
  try {
    await server.start();
    server.session = await server.sign_in(administrator.email, administrator.password);
    assert.equal((await server.post("/api/dashboard", { name: "Before" })).status, 200);
    server.process.kill("SIGSTOP");
    // It has not been heard of for an hour.
    await place.change(engine === "postgres" ? "UPDATE upgrade_node SET heartbeat = '2020-01-01T00:00:00Z'" : "UPDATE upgrade_node SET heartbeat = '2020-01-01T00:00:00.000000Z'");
    const up = await place.run(newer, ["migrate", "up"]);
    assert.equal(up.code, 0, up.err);
    const state = await place.look_now();
    assert.deepEqual(state.pending, [], "nobody older is live, so all of it is in effect");
    server.process.kill("SIGCONT");
    const answer = await server.post("/api/dashboard", { name: "Written by a node that is too old" }, { timeout: 10_000 }).catch(() => ({ status: 0 }));
    const found = await place.rows("SELECT count(*) AS n FROM dashboard WHERE name = 'Written by a node that is too old'");
    assert.equal(found[0][0], "0", `a fenced node wrote, and answered ${answer.status}`);
    assert.notEqual(answer.status, 200);
  } finally {
    server.process?.kill("SIGCONT");
    await server.close();
    await place.remove();
  }
}

// Down and up again gives every value back.
export async function down_and_up_gives_all_back(engine, { newer }) {
  const { four } = await prepared(engine);
  const place = await four.copy();
  const before = await place.look();
  for (const args of [["migrate", "down", "--to", "1"], ["migrate", "up"]]) {
    const ended = await place.run(newer, args);
    assert.equal(ended.code, 0, ended.err);
  }
  const seen = await place.look();
  seen.parts.parked = before.parts.parked;
  assert.ok(same(seen, before), `not all came back: ${differences(before, seen).slice(0, 3).join("; ")}`);
  await place.remove();
}

// A backup that a lying disk changed on the way is not called good.
export async function a_spoiled_backup_is_noticed(engine, { newer }) {
  const place = await (await prepared(engine)).four.copy();
  const had = place.backups().length;
  const ended = await place.run(newer, ["backup", "create"], { spoil: "Analysts", spoil_in: ".partial" });
  assert.notEqual(ended.code, 0, `a spoiled backup is called good: ${ended.out}`);
  assert.ok(place.backups().length <= had, "a spoiled backup is listed");
  await place.remove();
}

export const laws = { who_lost_the_fence_commits_nothing, an_old_node_writes_nothing, down_and_up_gives_all_back, a_spoiled_backup_is_noticed };
