// Disks that fail, processes that sleep through their own end, lines that break: one clear sentence, nothing half done.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { asleep, blame, chain_length, differences, engines, full, is_prepared, on_lanes, own_part, postgres_admin, prepared, psql, random_of, room, same, sleep } from "./chaos.mjs";
import { wire } from "./proxy.mjs";
import { eventually } from "../runner/server.mjs";

const proper_codes = [1, 20, 30, 40];

// One sentence for a person on stderr, and nothing of a crash.
function check_words(where, ended) {
  assert.equal(ended.signal, null, `${where}: died of ${ended.signal}: ${ended.err}`);
  assert.ok(proper_codes.includes(ended.code), `${where}: exit code ${ended.code}: ${ended.err}`);
  const sentences = ended.err.split("\n").filter((line) => line.startsWith("basalt: "));
  const said = sentences.length === 1 ? sentences[0] : ended.out.trim();
  assert.ok(sentences.length <= 1, `${where}: more than one sentence: ${ended.err}`);
  assert.ok(said.length > 20, `${where}: says nothing: ${ended.err}${ended.out}`);
  assert.doesNotMatch(said, /something went wrong|terminate called|std::|Assertion/i, `${where}: no sentence for a person: ${said}`);
}

function stores_of(t, engine) {
  if (engine === "postgres" && !postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return undefined; }
  return prepared(engine);
}

// Runs `broken(place, n)` for chosen n; the data is before, after or (PostgreSQL) between, and a plain run ends after.
async function each_fault(t, title, { engine, from, name, args, total, seconds, broken }) {
  const before = await from.look();
  const clean = await from.copy();
  assert.equal((await clean.run(name, args)).code, 0);
  const goal = await clean.look();
  await clean.remove();
  const unchanged = same(before, goal);  // a backup changes nothing
  const random = random_of(11);
  const points = own_part(Array.from({ length: total }, (_, i) => ({ n: i + 1, at: random() })).sort((a, b) => a.at - b.at).map(({ n }) => n));
  const counts = { broken: 0, through: 0, before: 0, between: 0, after: 0 };
  const wrong = [];
  const began = Date.now();
  // Some faults one after the other on one copy, as long as they change nothing; then a run without any.
  const waiting = [...points];
  let done = 0;
  await on_lanes(points, async () => {
    const chain = waiting.splice(0, chain_length);
    if (chain.length === 0) return;
    const place = await from.copy();
    let where = "";
    try {
      while (chain.length) {
        const n = chain.shift();
        ++done;
        where = `${title} at ${n}`;
        const ended = await broken(place, n);
        if (ended.code === 0 || ended.code === 10) ++counts.through;
        else { ++counts.broken; check_words(where, ended); }
        const seen = await place.look();
        if (ended.code === 0) assert.ok(same(seen, goal), `${where}: said done, but is not: ${differences(goal, seen).slice(0, 4).join("; ")}`);
        if (same(seen, before)) {
          ++counts[unchanged ? "after" : "before"];
          continue;
        }
        if (same(seen, goal)) ++counts.after;
        else {
          assert.ok(engine === "postgres" && (is_prepared(before, seen) || seen.schema !== before.schema || seen.level !== before.level || seen.pending.length), `${where}: neither before nor after: ${differences(before, seen).slice(0, 4).join("; ")}`);
          ++counts.between;
        }
        break;
      }
      waiting.unshift(...chain);
      const restarted = await place.run(name, args);
      assert.ok([0, 10].includes(restarted.code), `${where}: the restart ended with ${restarted.code}: ${restarted.err}${restarted.out}`);
      const reached = await place.look();
      assert.ok(same(reached, goal), `${where}: the restart reached something else: ${differences(goal, reached).slice(0, 4).join("; ")}`);
      if ((await place.leftovers()).length) await place.run("basalt-next", ["backup", "create"]);
      for (const left of await place.leftovers()) wrong.push(`${where}: left behind: ${left}`);
    } catch (error) {
      wrong.push(error.message);
    } finally {
      await place.remove();
    }
  }, { until: full ? Infinity : began + seconds * 1000, enough: () => counts.broken > 0 });
  t.diagnostic(`${engine} ${args.join(" ").replace(/\/\S+\//, "")}, ${title}: ${done} of ${total} points: stopped ${counts.broken}, went through ${counts.through}; before ${counts.before}, between ${counts.between}, after ${counts.after}; ${((Date.now() - began) / 1000).toFixed(1)} s`);
  if (counts.broken === 0) wrong.push(`${title}: no fault had an effect`);
  return wrong;
}

const commands = (stores) => [
  { from: stores.one, name: "basalt-next", args: ["migrate", "up"] },
  { from: stores.four, name: "basalt", args: ["migrate", "down", "--to", "1"] },
  { from: stores.four, name: "basalt-next", args: ["restore", stores.backup] },
  { from: stores.four, name: "basalt-next", args: ["backup", "create"] },
];

for (const engine of engines)
  for (const error of ["ENOSPC", "EIO", "EROFS"])
    test(`${engine}: the disk says ${error} from the n-th call on`, async (t) => {
      const stores = await stores_of(t, engine);
      if (!stores) return;
      const wrong = [];
      for (const { from, name, args } of commands(stores)) {
        const { calls, place } = await from.traced(name, args);
        await place.remove();
        wrong.push(...await each_fault(t, error, { engine, from, name, args, total: calls.length, seconds: 0.8, broken: (at, n) => at.run(name, args, { fail: `${n}:${error}` }) }));
      }
      blame(wrong, "all points");
    });

test("postgres: the line breaks before or after the n-th thing said, or the session is ended there", async (t) => {
  const stores = await stores_of(t, "postgres");
  if (!stores) return;
  const wrong = [];
  for (const { from, name, args } of commands(stores)) {
    const counted = await from.copy();
    const counter = await wire(counted.uri);
    assert.equal((await counted.run(name, args, undefined, { MB_DB_CONNECTION_URI: counter.uri })).code, 0);
    await counter.close();
    await counted.remove();
    for (const how of ["cut before", "cut after", "ended"])
      wrong.push(...await each_fault(t, how, {
        engine: "postgres", from, name, args, total: counter.chunks, seconds: 1,
        broken: async (at, n) => {
          const end = () => psql(postgres_admin, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '${at.database}'`);
          const line = await wire(at.uri, { at: n, how: how === "ended" ? end : how });
          try {
            return await at.run(name, args, undefined, { MB_DB_CONNECTION_URI: line.uri });
          } finally {
            await line.close();
          }
        },
      }));
  }
  blame(wrong, "all points");
});

test("postgres: a line that breaks between COMMIT and its answer", async (t) => {
  const stores = await stores_of(t, "postgres");
  if (!stores) return;
  const { from, name, args } = commands(stores)[0];
  const counted = await from.copy();
  const counter = await wire(counted.uri);
  counter.keep_log = true;
  assert.equal((await counted.run(name, args, undefined, { MB_DB_CONNECTION_URI: counter.uri })).code, 0);
  const goal = await counted.look();
  // How often each migration is noted when nothing breaks.
  const ran = "SELECT migration, state, count(*) AS times FROM upgrade_history WHERE direction = 'up' AND migration > 1 GROUP BY migration, state ORDER BY migration, state";
  const expected = await counted.rows(ran);
  await counter.close();
  await counted.remove();
  const all = counter.log.flatMap((text, i) => (/\bCOMMIT\b/.test(text) ? [i + 1] : []));
  assert.ok(all.length >= 4, `${all.length} commits`);
  const commits = full ? all : all.filter((_, i) => i % Math.ceil(all.length / 8) === 0 || i >= all.length - 3);
  const wrong = [];
  for (const n of commits) {
    const place = await from.copy();
    try {
      const line = await wire(place.uri, { at: n, how: "cut after" });
      const ended = await place.run(name, args, undefined, { MB_DB_CONNECTION_URI: line.uri });
      await line.close();
      if (ended.code !== 0) check_words(`COMMIT at ${n}`, ended);
      const restarted = await place.run(name, args);
      if (![0, 10].includes(restarted.code)) wrong.push(`COMMIT at ${n}: the restart ended with ${restarted.code}: ${restarted.err}`);
      const reached = await place.look();
      if (!same(reached, goal)) wrong.push(`COMMIT at ${n}: ${differences(goal, reached).slice(0, 4).join("; ")}`);
      const history = await place.rows(ran);
      if (JSON.stringify(history) !== JSON.stringify(expected)) wrong.push(`COMMIT at ${n}: a migration ran twice: ${JSON.stringify(history)}`);
    } catch (error) {
      wrong.push(error.message);
    } finally {
      await place.remove();
    }
  }
  t.diagnostic(`${commits.length} commits cut`);
  blame(wrong, commits.length);
});

for (const engine of engines)
  test(`${engine}: two upgraders at once`, async (t) => {
    const stores = await stores_of(t, engine);
    if (!stores) return;
    const { calls, place: clean } = await stores.one.traced("basalt-next", ["migrate", "up"]);
    const goal = await clean.look();
    await clean.remove();
    assert.ok(calls.length > 0);
    const rounds = full ? 60 : 6;
    const random = random_of(5);
    for (let round = 0; round < rounds; ++round) {
      const place = await stores.one.copy();
      const started = [place.begin("basalt-next", ["migrate", "up"])];
      await sleep(random() * 60);
      started.push(place.begin("basalt-next", ["migrate", "up"]));
      const ended = await Promise.all(started.map(({ ended }) => ended));
      // Who comes second waits for the first, or says in one sentence that somebody else is at it.
      assert.ok(ended.some(({ code }) => code === 0), ended.map(({ err }) => err).join(""));
      for (const { code, err, signal } of ended) assert.ok([0, 10, 20].includes(code) && !signal, `round ${round}: ${code} ${signal} ${err}`);
      const reached = await place.look();
      assert.ok(same(reached, goal), differences(goal, reached).slice(0, 4).join("; "));
      assert.deepEqual(await place.leftovers(), []);
      await place.remove();
    }
    t.diagnostic(`${engine}: ${rounds} rounds`);
  });

const nap = full ? 60_000 : 400;

test("postgres: who sleeps while another takes over never commits", async (t) => {
  const stores = await stores_of(t, "postgres");
  if (!stores) return;
  for (const [from, args] of [[stores.one, ["migrate", "up"]], [stores.four, ["migrate", "down", "--to", "1"]], [stores.four, ["restore", stores.backup]]]) {
    const { calls, place: clean } = await from.traced("basalt-next", args);
    const goal = await clean.look();
    await clean.remove();
    const sends = calls.filter(({ call }) => call === "send").map(({ n }) => n);
    // Late ones: the lock is held and the change has begun.
    const chosen = full ? [0.5, 0.8, 0.95] : [0.6, 0.9, 0.96];
    let slept = 0;
    for (const part of chosen) {
      const place = await from.copy();
      const first = await asleep(place, "basalt-next", args, sends[Math.floor(sends.length * part)]);
      if (!first) { await place.remove(); continue; }
      const mine = await psql(postgres_admin, `SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE datname = '${place.database}'`);
      const second = place.begin("basalt-next", args);
      await sleep(nap);
      if (second.child.exitCode !== null) {
        const { code, err } = await second.ended;
        first.child.kill("SIGCONT");
        await first.ended;
        // Either the sleeper had let go already, and nothing was left to do; or who wants to restore has no patience for a whole
        // minute, says for whom it waited, and what the sleeper does then is whole.
        if (code !== 10) {
          assert.ok(args[0] === "restore" && nap > 30_000 && code === 20, `the second one does not wait: ${code} ${err}`);
          assert.match(err, /waited for .*try again later/);
          const reached = await place.look(), before = await from.look();
          assert.ok(same(reached, goal) || same(reached, before), differences(goal, reached).slice(0, 4).join("; "));
          ++slept;
        }
        await place.remove();
        continue;
      }
      ++slept;
      const ended = await psql(postgres_admin, `SELECT count(pg_terminate_backend(pid)) FROM unnest(string_to_array('${mine}', ' ')::int[]) AS t(pid)`);
      assert.ok(Number(ended) >= 1, "the sleeper held a session");
      const taken = await second.ended;
      assert.ok([0, 10].includes(taken.code), `the second one at ${part}: ${taken.code} ${taken.err}`);
      const before_waking = await place.look_now();
      first.child.kill("SIGCONT");
      const woken = await first.ended;
      const reached = await place.look();
      assert.ok(same(reached, before_waking), `it changed something after waking: ${differences(before_waking, reached).slice(0, 4).join("; ")}`);
      assert.ok(same(reached, goal), `at ${part}: ${differences(goal, reached).slice(0, 4).join("; ")}`);
      if (![0, 10].includes(woken.code)) check_words("woken", woken);
      const left = await place.run("basalt-next", ["migrate", "status"]);
      assert.equal(left.code, 0, left.err);
      await place.remove();
    }
    t.diagnostic(`${args[0]} ${args[1].replace(/.*\//, "")}: ${slept} sleepers of ${nap} ms`);
    assert.ok(slept > 0);
  }
});

test("sqlite: who sleeps keeps the lock, and goes on when woken", async (t) => {
  const stores = await stores_of(t, "sqlite");
  const { calls, place: clean } = await stores.one.traced("basalt-next", ["migrate", "up"]);
  const goal = await clean.look();
  await clean.remove();
  for (const part of full ? [0.3, 0.97] : [0.6]) {
    const place = await stores.one.copy();
    const first = await asleep(place, "basalt-next", ["migrate", "up"], Math.floor(calls.length * part));
    assert.ok(first, "the first one sleeps");
    const second = place.begin("basalt-next", ["migrate", "up"]);
    await sleep(nap);
    // Unless the sleeper had changed the data and let go already.
    if (second.child.exitCode !== null) assert.ok(second.child.exitCode === 10 && part > 0.9, `the second one does not wait: ${second.child.exitCode}`);
    first.child.kill("SIGCONT");
    const woken = await first.ended, waited = await second.ended;
    // After half a minute it may have been given up for dead: then it stops by itself, and the other one does the work.
    if (nap > 30_000 && ![0, 10].includes(woken.code)) check_words("woken", woken);
    else assert.ok([0, 10].includes(woken.code), woken.err);
    assert.ok([0, 10].includes(waited.code), waited.err);
    const reached = await place.look();
    assert.ok(same(reached, goal), differences(goal, reached).slice(0, 4).join("; "));
    await place.remove();
  }
});

for (const error of ["ENOSPC", "EIO"])
  test(`sqlite: a server whose disk says ${error} refuses writes in a sentence, goes on reading, and keeps all it said yes to`, async (t) => {
    const { one } = await stores_of(t, "sqlite");
    // How many calls a start takes.
    const counted = await one.copy();
    const trace = join(room, `serve-${randomUUID()}`);
    const quiet = await counted.server("basalt", { chaos: { trace } }).start();
    await quiet.stop("SIGKILL");
    const start = readFileSync(trace, "utf8").trim().split("\n").length;
    await counted.remove();
    const place = await one.copy();
    const server = place.server("basalt", { chaos: { fail: `${start + 60}:${error}` } });
    try {
      await server.start();
      server.session = await server.sign_in();
      const kept = [], refused = [];
      for (let i = 0; i < 60 && refused.length < 5; ++i) {
        const answer = await server.post("/api/collection", { name: `On a failing disk ${i}` }, { timeout: 20_000 });
        (answer.status === 200 ? kept : refused).push(answer.status === 200 ? answer.body.id : answer);
      }
      assert.ok(kept.length > 0 && refused.length > 0, `${kept.length} kept, ${refused.length} refused`);
      for (const { status, body } of refused) {
        assert.ok(status >= 500, `status ${status}`);
        assert.match(JSON.stringify(body), error === "ENOSPC" ? /full|space/i : /disk|written|read|busy/i, "it says why");
      }
      assert.equal((await server.get(`/api/collection/${kept[0]}`)).status, 200, "it goes on reading");
      await server.stop("SIGKILL");
      const there = new Set((await place.rows("SELECT id, name FROM collection")).map(([id]) => id));
      for (const id of kept) assert.ok(there.has(String(id)), `collection ${id} was acknowledged and is gone`);
      const again = await place.server("basalt").start();
      assert.equal((await again.stop()).code, 0);
      t.diagnostic(`sqlite: ${error}, ${kept.length} kept, ${refused.length} refused: ${JSON.stringify(refused[0].body).slice(0, 160)}`);
    } finally {
      await server.close();
      await place.remove();
    }
  });

for (const engine of engines)
  test(`${engine}: a server that cannot migrate says failed, and a restart does it`, async (t) => {
    const stores = await stores_of(t, engine);
    if (!stores) return;
    const { calls, place: clean } = await stores.one.traced("basalt-next", ["migrate", "up"]);
    const goal = await clean.look();
    await clean.remove();
    for (const part of full ? [0.1, 0.3, 0.5, 0.7, 0.9] : [0.5]) {
      const place = await stores.one.copy();
      const before = await place.look();
      const server = place.server("basalt-next", { chaos: { fail: `${Math.floor(calls.length * part)}:ENOSPC` } });
      try {
        await server.start({ wait: false });
        const said = await eventually(async () => {
          if (server.exited) return server.log;
          const text = await (await fetch(`${server.url}/api/health`)).text();
          return text.includes("failed") && text;
        }, { what: "a failed start" });
        assert.match(said, /full|space/i, "it says why");
        await server.stop("SIGKILL");
        const seen = await place.look();
        assert.ok(same(seen, before) || same(seen, goal) || engine === "postgres", differences(before, seen).slice(0, 3).join("; "));
        const again = await place.server("basalt-next").start();
        assert.equal((await again.stop()).code, 0);
        assert.equal((await place.look()).schema, 4);
      } finally {
        await server.close();
        await place.remove();
      }
    }
  });

after(async () => {
  for (const engine of engines) {
    if (engine === "postgres" && !postgres_admin) continue;
    const { one, four } = await prepared(engine);
    await one.remove();
    await four.remove();
  }
});
