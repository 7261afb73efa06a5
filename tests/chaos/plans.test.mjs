// Plans by chance: three nodes on one PostgreSQL, or one on SQLite, are upgraded, stepped down, crashed, backed up and
// restored in any order while people write. The ledger judges. A plan that failed is played again with BASALT_CHAOS_SEED.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { blame, differences, engines, full, on_lanes, postgres_admin, prepared, random_of, same, sleep } from "./chaos.mjs";
import { Ledger, load } from "./ledger.mjs";
import { administrator, leave, run_command } from "../runner/server.mjs";

const first_seed = Number(process.env.BASALT_CHAOS_SEED ?? Math.floor(Math.random() * 1e6));
const can_finalise = / finali[sz]e /.test(run_command(["migrate", "--help"], { name: "basalt-next" }).out);

// What a step that changes the schema changes; what people write meanwhile is the ledger's.
const shape = (state) => ({ parts: Object.fromEntries(Object.entries(state.parts).filter(([name]) => !name.startsWith("rows "))) });

class Cluster {
  nodes = [];
  marks = new Map();  // backup file → what the ledger knew then
  history = [];
  wrong = [];
  constructor(engine, random) { Object.assign(this, { engine, random, ledger: new Ledger() }); }
  async open(count) {
    this.home = await (await prepared(this.engine)).one.copy();
    for (let i = 0; i < count; ++i) {
      const place = i === 0 ? this.home : this.home.beside();
      place.environment.BASALT_NODE_NAME = `node-${i}`;
      this.nodes.push({ place, server: undefined, binary: undefined });
    }
    return this;
  }
  complain(text) { this.wrong.push(`${text}\n    after: ${this.history.slice(-8).join("; ")}`); }
  pick(list) { return list[Math.floor(this.random() * list.length)]; }
  live() { return this.nodes.filter(({ server }) => server && !server.exited); }
  serving() { return this.live().map(({ server }) => server); }
  state() { return this.home.look_now(); }

  async start(node, binary) {
    this.history.push(`start ${binary} on ${this.nodes.indexOf(node)}`);
    const before = await this.state();
    const floor = Number((await this.home.rows("SELECT value FROM upgrade_meta WHERE key = 'compat_floor'"))[0][0]);
    node.server = node.place.server(binary);
    node.server.session = this.session;
    await node.server.start({ wait: false });
    for (const until = Date.now() + 20_000; ;) {
      if (node.server.exited) {
        if (binary !== "basalt" || floor <= 1) this.complain(`${binary} did not start at schema ${before.schema}, floor ${floor}: ${node.server.log.slice(-300)}`);
        node.server = undefined;
        return;
      }
      const answer = await fetch(`${node.server.url}/api/health`, { headers: leave, signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      if (answer?.status === 200) break;
      const said = answer ? await answer.text() : "";
      // An older one on data that is too new answers why, and serves nothing.
      if (/"failed"|too old|newer/.test(said) && binary === "basalt" && floor > 1) { await this.stop(node); return; }
      if (Date.now() > until) { this.complain(`${binary} is not ready after 20 s: ${said} ${node.server.log.slice(-300)}`); await this.crash(node); return; }
      await sleep(10);
    }
    node.binary = binary;
  }
  async stop(node) {
    if (!node.server) return;
    this.history.push(`stop ${this.nodes.indexOf(node)}`);
    const ended = await node.server.stop();
    if (ended.signal || ended.code !== 0) { if (!/newer|too old|step the data down/.test(node.server.log)) this.complain(`a stop ended with ${JSON.stringify(ended)}: ${node.server.log.slice(-300)}`); }
    node.server = undefined;
  }
  async crash(node) {
    if (!node.server) return;
    this.history.push(`crash ${this.nodes.indexOf(node)}`);
    await node.server.stop("SIGKILL");
    node.server = undefined;
  }
  async sign_in() {
    for (const server of this.serving()) {
      const probe = await server.get("/api/user/current").catch(() => ({ status: 0 }));
      if (probe.status !== 200) {
        try { this.session = await server.sign_in(administrator.email, administrator.password); } catch { continue; }
      }
      for (const each of this.serving()) each.session = this.session;
      return;
    }
  }
  async burst(ms) {
    if (this.live().length === 0) await this.start(this.pick(this.nodes), (await this.state()).schema > 1 ? "basalt-next" : "basalt");
    this.history.push("writes");
    await this.sign_in();
    const work = load(this.ledger, () => { const up = this.serving(); return up.length ? this.pick(up) : undefined; }, this.random, { writers: 3 });
    await sleep(ms);
    await work.stop();
  }
  // A command by one of the binaries; what is blocked must have changed nothing.
  async command(binary, args, place = this.home) {
    const before = await this.state();
    const ended = await place.run(binary, args);
    this.history.push(`${binary} ${args.join(" ").replace(/\/\S+\//, "")} → ${ended.code}`);
    if (ended.signal || ![0, 10, 20].includes(ended.code)) this.complain(`${binary} ${args.join(" ")}: ${ended.code} ${ended.signal} ${ended.err.slice(-400)}`);
    if (ended.code === 20) {
      const seen = await this.state();
      if (!same(shape(seen), shape(before))) this.complain(`blocked, but changed: ${differences(shape(before), shape(seen)).slice(0, 3).join("; ")}`);
    }
    return ended;
  }

  async step() {
    const dice = this.random(), node = this.pick(this.nodes);
    if (dice < 0.25) {
      if (node.server) await (this.random() < 0.3 ? this.crash(node) : this.stop(node));
      await this.start(node, "basalt-next");
    } else if (dice < 0.4) {
      if (node.server) await this.stop(node);
      await this.start(node, "basalt");
    } else if (dice < 0.5) await this.crash(node);
    else if (dice < 0.6) {
      // Down, mostly after the newer ones were stopped.
      if (this.random() < 0.7) for (const each of this.live().filter(({ binary }) => binary === "basalt-next" || this.random() < 0.5)) await this.stop(each);
      await this.command(this.pick(["basalt", "basalt-next"]), ["migrate", "down", "--to", "1"]);
    } else if (dice < 0.68) await this.command("basalt-next", ["migrate", "up"]);
    else if (dice < 0.74 && can_finalise) await this.command("basalt-next", ["migrate", "finalize"]);
    else if (dice < 0.85) {
      const binary = (await this.state()).schema > 1 ? "basalt-next" : "basalt";
      const had = new Set(this.home.backups());
      // A write whose answer was never heard may still be under way.
      for (const complaint of await this.ledger.compare(this.home)) this.complain(complaint);
      if ((await this.command(binary, ["backup", "create"])).code === 0)
        for (const file of this.home.backups()) if (!had.has(file)) this.marks.set(file, this.ledger.mark());
    } else if (dice < 0.93 && this.marks.size) {
      const file = this.pick([...this.marks.keys()].filter((name) => this.home.backups().includes(name)));
      if (!file) return;
      if (this.random() < 0.75) for (const each of this.live()) await this.stop(each);
      const restored = await this.command(this.pick(["basalt", "basalt-next"]), ["restore", file]);
      if (restored.code === 0) {
        this.ledger.rewind(this.marks.get(file));
        // Who was serving starts anew by itself.
        for (const each of this.live()) {
          for (const until = Date.now() + 20_000; !each.server.exited; ) {
            const answer = await fetch(`${each.server.url}/api/user/current`, { headers: leave, signal: AbortSignal.timeout(2000) }).catch(() => undefined);
            if (answer && answer.status < 500) break;
            if (Date.now() > until) { this.complain(`a node does not serve 20 s after a restore: ${each.server.log.slice(-300)}`); await this.crash(each); break; }
            await sleep(50);
          }
        }
      }
    } else await this.burst(100 + this.random() * 200);
    if (this.random() < 0.6) await this.burst(60 + this.random() * 120);
    for (const complaint of await this.ledger.compare(this.home)) this.complain(complaint);
    const status = await this.home.run("basalt-next", ["migrate", "status", "--json"]);
    if (status.code !== 0 || !JSON.parse(status.out).schema) this.complain(`status says ${status.code}: ${status.err}`);
  }

  async finish() {
    for (const node of this.nodes) await this.stop(node);
    // Half a minute passes, after which crashed nodes count no more.
    await this.home.change("UPDATE upgrade_node SET heartbeat = '2020-01-01T00:00:00Z'");
    const up = await this.command("basalt-next", ["migrate", "up"]);
    if (![0, 10].includes(up.code)) this.complain(`the last upgrade: ${up.code} ${up.err}`);
    if (can_finalise) await this.command("basalt-next", ["migrate", "finalize"]);
    const state = await this.home.look();
    if (state.schema !== 4 || state.pending.length || state.level !== 4) this.complain(`at the end: schema ${state.schema}, level ${state.level}, pending ${JSON.stringify(state.pending)}`);
    if (state.invalid) this.complain(`invalid indexes: ${state.invalid}`);
    for (const complaint of await this.ledger.compare(this.home)) this.complain(`at the end: ${complaint}`);
    const status = JSON.parse((await this.home.run("basalt-next", ["migrate", "status", "--json"])).out);
    if (status.drift?.some?.(({ kind }) => kind === "missing")) this.complain(`drift: ${JSON.stringify(status.drift).slice(0, 300)}`);
    // All the way down and up again: nobody loses anything.
    if ((await this.command("basalt", ["migrate", "down", "--to", "1"])).code !== 0) this.complain("the last step down was blocked");
    for (const complaint of await this.ledger.compare(this.home)) this.complain(`after the last step down: ${complaint}`);
    for (const left of await this.home.leftovers()) this.complain(`left behind: ${left}`);
  }
  async close() {
    for (const node of this.nodes) if (node.server) await node.server.stop("SIGKILL");
    for (const node of this.nodes.reverse()) await node.place.remove();
  }
}

async function plans(t, engine, count, nodes, steps) {
  if (engine === "postgres" && !postgres_admin) { t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set"); return; }
  const began = Date.now(), wrong = [];
  const totals = { acknowledged: 0, refused: 0, unanswered: 0 };
  const statuses = {};
  await on_lanes(Array.from({ length: count }, (_, i) => first_seed + i), async (seed) => {
    const cluster = await new Cluster(engine, random_of(seed)).open(nodes);
    try {
      for (const node of cluster.nodes) await cluster.start(node, "basalt");
      for (let i = 0; i < steps && cluster.wrong.length < 4; ++i) await cluster.step();
      await cluster.finish();
    } catch (error) {
      cluster.complain(error.stack);
    } finally {
      await cluster.close();
    }
    for (const name of Object.keys(totals)) totals[name] += cluster.ledger.counts[name];
    for (const [status, times] of Object.entries(cluster.ledger.statuses ?? {})) statuses[status] = (statuses[status] ?? 0) + times;
    if (cluster.wrong.length) t.diagnostic(`seed ${seed}: ${cluster.history.join("; ")}`);
    wrong.push(...cluster.wrong.map((text) => `seed ${seed}: ${text}`));
  });
  t.diagnostic(`${engine}: ${count} plans of ${steps} steps from seed ${first_seed}; writes: ${totals.acknowledged} acknowledged, ${totals.refused} refused, ${totals.unanswered} unanswered ${JSON.stringify(statuses)}; ${((Date.now() - began) / 1000).toFixed(1)} s`);
  assert.ok(totals.acknowledged > count * 10, "hardly anything was written");
  blame(wrong, `${count} plans`);
}

const wanted = Number(process.env.BASALT_CHAOS_PLANS ?? (full ? 200 : 20));
test("postgres: three nodes, plans by chance", (t) => plans(t, "postgres", wanted, 3, full ? 12 : 6));
test("sqlite: one node, plans by chance", (t) => plans(t, "sqlite", Math.ceil(wanted / 4), 1, full ? 12 : 8));

after(async () => {
  for (const engine of engines) {
    if (engine === "postgres" && !postgres_admin) continue;
    const { one, four } = await prepared(engine);
    await one.remove();
    await four.remove();
  }
});
