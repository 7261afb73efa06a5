// Killed at each call with lasting effect: the data is exactly as before or exactly as after, and a plain restart goes on.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { blame, differences, engines, full, on_lanes, postgres_admin, prepared, random_of, same } from "./chaos.mjs";

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
  if (full) return { points: [...edges, ...sent, ...plain], all };
  const stride = Math.max(1, Math.ceil(plain.length / 24));
  return { points: [...shuffled(edges), ...shuffled([...sent, ...plain.filter((_, i) => i % stride === 0)])], all };
}

async function matrix(t, { engine, from, name, args, again = [name, args], expect, codes = [0, 10], returns = false, seconds = 5 }) {
  const before = await from.look();
  const { calls, place: clean } = await from.traced(name, args);
  const goal = expect ? await expect(clean, before) : await clean.look();
  await clean.remove();
  const { points, all } = points_of(calls);
  const counts = { killed: 0, before: 0, between: 0, after: 0 };
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
        const key = `${seen.schema}/${seen.level}/${JSON.stringify(seen.pending)}`;
        if (!between.has(key)) between.set(key, seen);
        assert.ok(seen.schema !== before.schema || seen.level !== before.level || seen.pending.length, `${where}: changed without another schema: ${differences(before, seen).slice(0, 4).join("; ")}`);
        assert.ok(same(seen, between.get(key)), `${where}: two states of schema ${key}: ${differences(between.get(key), seen).slice(0, 4).join("; ")}`);
        ++counts.between;
      }
      return where;
    }
    return where;
  };

  // Each point on a copy of its own in the long run; else some one after the other, which is harder on what they leave.
  const waiting = [...points];
  const done = await on_lanes(points, async () => {
    const chain = waiting.splice(0, full ? 1 : 5);
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
      for (const left of await place.leftovers()) wrong.push(`${where}: left behind: ${left}`);
    } catch (error) {
      wrong.push(error.message);
    } finally {
      await place.remove();
    }
  }, { until });
  t.diagnostic(`${engine} ${args.join(" ").replace(/\/\S+\//, "")}: ${calls.length} calls, killed at ${counts.killed} of ${all} points: before ${counts.before}, between ${counts.between}, after ${counts.after}; ${((Date.now() - began) / 1000).toFixed(1)} s`);
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
    if (stores) await matrix(t, { engine, from: stores.one, name: "basalt-next", args: ["migrate", "up"], seconds: 10 });
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

after(async () => {
  for (const engine of engines) {
    if (engine === "postgres" && !postgres_admin) continue;
    const { one, four } = await prepared(engine);
    await one.remove();
    await four.remove();
  }
});
