// Killed at each call with lasting effect: the data is exactly as before or exactly as after, and a plain restart goes on.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { apart_from_catalogue, blame, chain_length, differences, engines, full, is_prepared, on_lanes, own_part, Place, postgres_admin, prepared, random_of, room, same } from "./chaos.mjs";

// Kills that leave what another one leaves are left out: after a call on a file is before the next one.
function points_of(calls) {
  const random = random_of(7);
  const shuffled = (list) => list.map((point) => ({ point, at: random() })).sort((a, b) => a.at - b.at).map(({ point }) => point);
  const edges = [], sent = [], plain = [];
  for (const { n, call } of calls) {
    if (call === "send") sent.push({ n, when: "before", call }, { n, when: "after", call });
    else if (call === "write") plain.push({ n, when: n % 3 === 0 ? "half" : "before", call });
    else edges.push({ n, when: "before", call });
  }
  edges.push({ n: calls.at(-1).n, when: "after", call: calls.at(-1).call });
  const all = edges.length + sent.length + plain.length;
  if (full) return { points: own_part([...edges, ...sent, ...plain]), all };
  const stride = Math.max(1, Math.ceil(plain.length / 24));
  const first = shuffled(edges), others = shuffled([...sent, ...plain.filter((_, i) => i % stride === 0)]);
  // On PostgreSQL most of what counts is said, not written: two of that for each edge of the files beside it.
  if (sent.length === 0) return { points: [...first, ...others], all };
  const points = [];
  while (first.length || others.length) points.push(...others.splice(0, 2), ...first.splice(0, 1));
  return { points, all };
}

// What is still there after the next use of the folder, which sweeps it: a restart with nothing to do need not.
async function left_for_ever(place, name) {
  if ((await place.leftovers()).length === 0) return [];
  const next = await place.run(name, ["backup", "create"]);
  return [...(next.code === 0 ? [] : [`and the next backup fails: ${next.err}`]), ...await place.leftovers()];
}

async function matrix(t, { engine, from, name, args, again = [name, args], expect, codes = [0, 10], returns = false, seconds = 3 }) {
  const before = await from.look();
  const { calls, place: clean } = await from.traced(name, args);
  const goal = expect ? await expect(clean, before) : await clean.look();
  await clean.remove();
  const { points, all } = points_of(calls);
  const counts = { killed: 0, before: 0, prepared: 0, between: 0, after: 0 };
  const between = new Map();
  const wrong = [];
  const began = Date.now(), until = full ? Infinity : began + seconds * 1000;

  // Kills at the points in turn, on one copy, until the data is not as before any more; gives where it was last.
  const kill_in_turn = async (place, chain) => {
    let where = "";
    while (chain.length) {
      const { n, when, call } = chain.shift();
      where = `${when} call ${n} (${call})`;
      const ended = await place.run(name, args, { kill: n, when });
      if (ended.signal === "SIGKILL") ++counts.killed;
      else assert.ok(codes.includes(ended.code), `${where}: ended with ${ended.code} ${ended.signal}: ${ended.err}`);
      // Now and then nobody looks in between: a dead client's session may still be at work when the next one comes.
      if (engine === "postgres" && n % 5 === 0) return where;
      const seen = await place.look();
      if (same(seen, before)) {
        ++counts[same(before, goal) ? "after" : "before"];
        continue;
      }
      if (same(seen, goal)) ++counts.after;
      else {
        assert.equal(engine, "postgres", `${where}: neither before nor after: ${differences(before, seen).slice(0, 4).join("; ")}`);
        if (is_prepared(before, seen)) { ++counts.prepared; return where; }
        const key = `${seen.schema}/${seen.level}/${JSON.stringify(seen.pending)}`;
        const content = apart_from_catalogue(seen);
        if (!between.has(key)) between.set(key, content);
        assert.ok(seen.schema !== before.schema || seen.level !== before.level || seen.pending.length, `${where}: changed without another schema: ${differences(before, seen).slice(0, 4).join("; ")}`);
        assert.ok(same(content, between.get(key)), `${where}: two states of schema ${key}: ${differences(between.get(key), content).slice(0, 4).join("; ")}`);
        ++counts.between;
      }
      return where;
    }
    return where;
  };

  // Each point on a copy of its own in the long run; else some one after the other, which is harder on what they leave.
  const waiting = [...points];
  const done = await on_lanes(points, async () => {
    const chain = waiting.splice(0, chain_length);
    if (chain.length === 0) return;
    const place = await from.copy();
    try {
      const where = await kill_in_turn(place, chain);
      waiting.unshift(...chain);
      const restarted = await place.run(...again);
      assert.ok(codes.includes(restarted.code), `${where}: the restart ended with ${restarted.code} ${restarted.signal}: ${restarted.err}${restarted.out}`);
      const reached = await place.look();
      // What was parked and given back stays listed as returned.
      if (returns) reached.parts.parked = before.parts.parked;
      assert.ok(same(reached, returns ? before : goal), `${where}: the restart reached something else: ${differences(returns ? before : goal, reached).slice(0, 4).join("; ")}`);
      assert.ok(!reached.invalid, `${where}: invalid indexes stay: ${reached.invalid}`);
      for (const left of await left_for_ever(place, name)) wrong.push(`${where}: left behind: ${left}`);
    } catch (error) {
      wrong.push(error.message);
    } finally {
      await place.remove();
    }
  }, { until, enough: () => counts.killed > 4 });
  t.diagnostic(`${engine} ${args.join(" ").replace(/\/\S+\//, "")}: ${calls.length} calls, killed at ${counts.killed} of ${all} points: before ${counts.before}, prepared ${counts.prepared}, between ${counts.between}, after ${counts.after}; ${((Date.now() - began) / 1000).toFixed(1)} s`);
  assert.ok(counts.killed > 0, "nothing was killed");
  blame(wrong, done);
}

for (const engine of engines) {
  const ready = async (t) => {
    if (engine === "postgres" && !postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return undefined; }
    return prepared(engine);
  };

  test(`${engine}: an upgrade killed anywhere`, async (t) => {
    const stores = await ready(t);
    if (stores) await matrix(t, { engine, from: stores.one, name: "basalt-next", args: ["migrate", "up"], seconds: 6 });
  });

  test(`${engine}: a step down by the newer binary killed anywhere`, async (t) => {
    const stores = await ready(t);
    if (stores) await matrix(t, { engine, from: stores.four, name: "basalt-next", args: ["migrate", "down", "--to", "1"] });
  });

  test(`${engine}: a step down by the older binary killed anywhere`, async (t) => {
    const stores = await ready(t);
    if (stores) await matrix(t, { engine, from: stores.four, name: "basalt", args: ["migrate", "down", "--to", "1"] });
  });

  test(`${engine}: an interrupted step down is no hindrance for the newer binary`, async (t) => {
    const stores = await ready(t);
    // Whatever was reached, starting the newer binary again brings back what it had.
    if (stores) await matrix(t, { engine, from: stores.four, name: "basalt", args: ["migrate", "down", "--to", "1"], again: ["basalt-next", ["migrate", "up"]], returns: true });
  });

  test(`${engine}: a backup killed anywhere`, async (t) => {
    const stores = await ready(t);
    if (stores) await matrix(t, { engine, from: stores.four, name: "basalt-next", args: ["backup", "create"], expect: async (_, before) => before });
  });

  test(`${engine}: a restore killed anywhere`, async (t) => {
    const stores = await ready(t);
    if (stores) await matrix(t, { engine, from: stores.four, name: "basalt-next", args: ["restore", stores.backup] });
  });
}

for (const engine of engines)
  test(`${engine}: the finalising of an upgrade killed anywhere`, async (t) => {
    if (engine === "postgres" && !postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return; }
    const { one } = await prepared(engine);
    const from = await one.copy();
    // An older node that is heard of, so that the upgrade puts off what would harm it; and then it is not heard of any more.
    await from.change(`INSERT INTO upgrade_node (row_uid, node, binary_version, target_schema, heartbeat) VALUES ('${randomUUID()}', 'older', '0.1.0', 1, '2100-01-01T00:00:00Z')`);
    const up = await from.run("basalt-next", ["migrate", "up"]);
    assert.equal(up.code, 0, up.err);
    const waiting = await from.look();
    assert.ok(waiting.schema === 4 && waiting.level < 4 && waiting.pending.length > 0, `nothing was put off: ${JSON.stringify({ ...waiting, parts: undefined })}`);
    const refused = await from.run("basalt-next", ["migrate", "finalize"]);
    assert.equal(refused.code, 20, `finalised beside an older node: ${refused.err}${refused.out}`);
    assert.ok(same(await from.look(), waiting), "refused, but changed");
    await from.change("UPDATE upgrade_node SET heartbeat = '2020-01-01T00:00:00Z'");
    try {
      await matrix(t, { engine, from, name: "basalt-next", args: ["migrate", "finalize"] });
    } finally {
      await from.remove();
    }
  });

// Between two stores: the source stays as it is, the target is empty or whole.
for (const [from_engine, to_engine] of [["sqlite", "postgres"], ["postgres", "sqlite"]])
  test(`${from_engine}: a move to ${to_engine} killed anywhere`, async (t) => {
    if (!postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return; }
    const { four } = await prepared(from_engine);
    const before = await four.look();
    const targets = async () => {
      const source = await four.copy(), target = await Place.empty(to_engine);
      const address = target.uri ?? target.directory;
      // The shim watches both folders and the one server.
      const environment = { CHAOS_PATH: room, ...(target.uri ? { CHAOS_PORT: new URL(target.uri).port } : {}) };
      const look = async () => (to_engine === "sqlite" && !existsSync(target.file) ? { schema: 0, parts: {} } : target.look());
      return { source, look, move: (chaos) => source.run("basalt-next", ["move", "--to", address], chaos, environment), remove: async () => { await source.remove(); await target.remove(); } };
    };
    const clean = await targets();
    const trace = join(room, `move-${randomUUID()}`);
    const moved = await clean.move({ trace });
    assert.equal(moved.code, 0, moved.err);
    const goal = await clean.look();
    assert.equal(goal.schema, 4);
    const calls = readFileSync(trace, "utf8").trim().split("\n").map((line) => ({ n: Number(line.split(" ")[0]), call: line.split(" ")[1] })).filter(({ n }) => n);
    await clean.remove();
    const { points, all } = points_of(calls);
    const counts = { killed: 0, empty: 0, whole: 0 }, wrong = [];
    const began = Date.now();
    const done = await on_lanes(points, async ({ n, when, call }) => {
      const where = `${when} call ${n} (${call})`;
      const pair = await targets();
      try {
        const ended = await pair.move({ kill: n, when });
        if (ended.signal === "SIGKILL") ++counts.killed;
        const seen = await pair.look();
        if (seen.schema === 0) ++counts.empty;
        else { assert.ok(same(seen, goal), `${where}: the target is neither empty nor whole: ${differences(goal, seen).slice(0, 3).join("; ")}`); ++counts.whole; }
        assert.ok(same(await pair.source.look(), before), `${where}: the source was changed`);
        const again = await pair.move();
        assert.ok(again.code === 0 || (again.code === 20 && seen.schema !== 0), `${where}: moving again: ${again.code} ${again.err}`);
        const reached = await pair.look();
        assert.ok(same(reached, goal), `${where}: moving again reached something else: ${differences(goal, reached).slice(0, 3).join("; ")}`);
        for (const left of await left_for_ever(pair.source, "basalt-next")) wrong.push(`${where}: left behind: ${left}`);
      } catch (error) {
        wrong.push(error.message);
      } finally {
        await pair.remove();
      }
    }, { until: full ? Infinity : began + 4000 });
    t.diagnostic(`${from_engine} move to ${to_engine}: ${calls.length} calls, killed at ${counts.killed} of ${all} points: target empty ${counts.empty}, whole ${counts.whole}; ${((Date.now() - began) / 1000).toFixed(1)} s`);
    blame(wrong, done);
  });

after(async () => {
  for (const engine of engines) {
    if (engine === "postgres" && !postgres_admin) continue;
    const { one, four } = await prepared(engine);
    await one.remove();
    await four.remove();
  }
});
