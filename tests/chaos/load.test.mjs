// Killed at random moments while it starts, migrates, backs up and serves under load: no acknowledged write is ever lost.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { blame, engines, full, postgres_admin, prepared, random_of, sleep } from "./chaos.mjs";
import { Ledger, load } from "./ledger.mjs";
import { administrator, leave } from "../runner/server.mjs";

const kills_wanted = Number(process.env.BASALT_CHAOS_KILLS ?? (full ? 1000 : 50));

const healthy = async (server, until) => {
  while (Date.now() < until && !server.exited) {
    try {
      if ((await fetch(`${server.url}/api/health`, { headers: leave, signal: AbortSignal.timeout(1000) })).status === 200) return true;
    } catch { /* not yet */ }
    await sleep(4);
  }
  return false;
};

async function session_of(place, name) {
  const server = await place.server(name).start();
  const session = await server.sign_in(administrator.email, administrator.password);
  assert.equal((await server.stop()).code, 0);
  return session;
}

// {concurrency: true}: both engines at a time, each on a core.
test("random kills under load", { concurrency: true }, async (t) => {
  await Promise.all(engines.map((engine) => t.test(engine, async (t) => {
    if (engine === "postgres" && !postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return; }
    const seed = Number(process.env.BASALT_CHAOS_SEED ?? Math.floor(Math.random() * 1e9));
    const random = random_of(seed);
    const place = await (await prepared(engine)).one.copy();
    const ledger = new Ledger();
    const session = await session_of(place, "basalt");
    const began = Date.now();
    const seen = {}, wrong = [];
    let kills = 0;

    // Starts a server, loads it, does `beside` meanwhile, and kills it after a while. Gives whether it served.
    // Half of the time the clock runs from the moment it serves, so that slow machines see writes too.
    const serve_and_kill = async (name, patience, beside) => {
      const patient = random() < 0.5 || beside;
      const server = place.server(name);
      server.session = session;
      await server.start({ wait: false });
      let work, served = false;
      const up = healthy(server, Date.now() + (patient ? 15_000 : patience)).then((ready) => {
        if (ready) { served = true; work = load(ledger, server, random); }
      });
      if (patient) await up;
      const other = beside?.();
      await sleep(patience);
      if (!server.exited) { server.process.kill("SIGKILL"); ++kills; }
      const ended = await server.gone;
      await up;
      await work?.stop();
      await other;
      if (ended.signal !== "SIGKILL" && !served && ended.code !== 0 && !/newer|step the data down|Another Basalt|in use|open/i.test(server.log)) wrong.push(`${name} did not start: ${ended.code} ${server.log.slice(-300)}`);
      return served;
    };
    const command_and_kill = async (name, args, patience) => {
      const run = place.begin(name, args);
      const timer = setTimeout(() => run.child.kill("SIGKILL"), patience);
      const ended = await run.ended;
      clearTimeout(timer);
      if (ended.signal === "SIGKILL") ++kills;
      else if (![0, 10, 20].includes(ended.code) && !/newer|Another Basalt|still running|has this data open/.test(ended.err)) wrong.push(`${name} ${args.join(" ")}: ${ended.code} ${ended.signal} ${ended.err.slice(-300)}`);
      return ended;
    };

    const schema = async () => (await place.rows("SELECT value FROM upgrade_meta WHERE key = 'schema'"))[0][0];
    while (kills < kills_wanted && wrong.length < 5) {
      const dice = random(), patience = 20 + random() * 180, older = (await schema()) === "1";
      let what;
      if (dice < 0.35) { what = "serve"; await serve_and_kill(older ? "basalt" : "basalt-next", 50 + random() * 200); }
      else if (dice < 0.55) { what = "serve and migrate"; await serve_and_kill("basalt-next", patience + random() * 200); }
      else if (dice < 0.7) { what = older ? "up" : "down"; await command_and_kill(...(older ? ["basalt-next", ["migrate", "up"]] : [random() < 0.5 ? "basalt" : "basalt-next", ["migrate", "down", "--to", "1"]]), patience / 2); }
      else if (dice < 0.8) { what = "serve and back up"; await serve_and_kill(older ? "basalt" : "basalt-next", 150 + random() * 200, async () => { await sleep(20); await command_and_kill(older ? "basalt" : "basalt-next", ["backup", "create"], 30 + random() * 120); }); }
      else { what = "serve and migrate beside"; await serve_and_kill(older ? "basalt" : "basalt-next", 150 + random() * 350, async () => { await sleep(random() * 60); await command_and_kill("basalt-next", ["migrate", "up"], 20 + random() * 200); }); }
      seen[what] = (seen[what] ?? 0) + 1;
      const state = await place.look();
      assert.ok(!state.invalid || what !== "serve", state.invalid);
      for (const complaint of await ledger.compare(place)) wrong.push(`after ${kills} kills, ${what}: ${complaint}`);
    }
    // At the end a plain start serves all of it.
    const last = await place.server("basalt-next").start();
    last.session = session;
    const entries = [...ledger.entries.values()].filter(({ values, kind }) => values[0] !== null && kind === "dashboard").slice(-20);
    for (const { id, values } of entries) assert.equal((await last.get(`/api/dashboard/${id}`)).body.description, values[0]);
    assert.equal((await last.stop()).code, 0);
    for (const left of await place.leftovers()) wrong.push(`left behind: ${left}`);
    for (const complaint of await ledger.compare(place)) wrong.push(`at the end: ${complaint}`);
    t.diagnostic(`${engine}: seed ${seed}, ${kills} kills (${Object.entries(seen).map(([what, times]) => `${times} ${what}`).join(", ")}); writes: ${ledger.counts.acknowledged} acknowledged, ${ledger.counts.refused} refused, ${ledger.counts.unanswered} unanswered; ${((Date.now() - began) / 1000).toFixed(1)} s`);
    if (ledger.last_refusal) t.diagnostic(`refused with ${JSON.stringify(ledger.statuses)}, last: ${ledger.last_refusal.slice(0, 200)}`);
    await place.remove();
    assert.ok(ledger.counts.acknowledged > kills, "hardly anything was written");
    blame(wrong, `${kills} kills (seed ${seed})`);
  })));
});

after(async () => {
  for (const engine of engines) {
    if (engine === "postgres" && !postgres_admin) continue;
    const { one, four } = await prepared(engine);
    await one.remove();
    await four.remove();
  }
});
