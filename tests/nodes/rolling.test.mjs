// Several nodes, upgraded one by one while people work.
import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually } from "../runner/server.mjs";
import { balancer, cluster, People } from "./cluster.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test("three nodes upgraded one by one lose no request, and the schema is put into effect when the last one is new", async (t) => {
  const made = await cluster(t);
  if (!made) return;
  const { nodes, meta, upgrade } = made;
  await nodes[0].start();
  await nodes[0].set_up();
  const session = nodes[0].session;
  for (const node of nodes.slice(1)) await node.start();
  const { url, log } = await balancer(t, nodes);
  const people = new People(url, session).begin();
  await sleep(1000);
  for (const [i, node] of nodes.entries()) {
    await upgrade(node);
    const now = meta();
    assert.equal(now.schema, "4", "expanded by the first");
    if (i < nodes.length - 1) {
      assert.notEqual(now.level, "4", `not in effect while ${nodes.length - 1 - i} older nodes serve`);
      assert.equal(now.compat_floor, "1", "older nodes may write");
    }
    await sleep(500);
  }
  await eventually(() => meta().level === "4", { timeout: 40_000, every: 200, what: "the upgrade put into effect by itself" });
  await sleep(1000);
  await people.end();
  t.diagnostic(`${people.writes} writes, ${people.reads} reads, slowest ${Math.round(people.slowest)} ms`);
  assert.deepEqual(people.failures, [], `${people.failures.length} failed requests\n${log()}\n${nodes.map((node) => node.log).join("\n")}`);
  for (const node of nodes) assert.deepEqual(await people.missing(node), []);

  // An older node that comes back is told why it may not.
  const late = nodes[2];
  assert.equal((await late.stop()).code, 0);
  late.name = "basalt";
  late.log = "";
  await late.start({ wait: false });
  assert.notEqual((await late.gone).code, 0);
  assert.match(late.log, /newer than this Basalt[^\n]*migrate down --to 1/);
});

test("until then the way back is to start the older binary", async (t) => {
  const made = await cluster(t);
  if (!made) return;
  const { nodes, meta, upgrade, back } = made;
  await nodes[0].start();
  await nodes[0].set_up();
  const session = nodes[0].session;
  for (const node of nodes.slice(1)) await node.start();
  await upgrade(nodes[0]);
  await upgrade(nodes[1]);
  const people = new People(nodes[1].url, session, { count: 2 }).begin();
  await sleep(1000);
  await people.end();
  assert.deepEqual(people.failures, []);
  const first = await back(nodes[0]), second = await back(nodes[1]);
  t.diagnostic(`serving again after ${Math.round(first)} and ${Math.round(second)} ms`);
  assert.equal(meta().compat_floor, "1");
  for (const node of nodes) assert.deepEqual(await people.missing(node), []);
  // And forward once more.
  for (const node of nodes) await upgrade(node);
  await eventually(() => meta().level === "4", { timeout: 40_000, every: 200, what: "the upgrade put into effect by itself" });
  assert.deepEqual(await people.missing(nodes[0]), []);
});

test("three nodes started at once on older data: one upgrades it, the others wait and serve", async (t) => {
  const made = await cluster(t);
  if (!made) return;
  const { nodes, postgres, meta } = made;
  await nodes[0].start();
  await nodes[0].set_up();
  const session = nodes[0].session;
  const dashboard = (await nodes[0].post("/api/dashboard", { name: "Kept" })).body;
  assert.equal((await nodes[0].stop()).code, 0);
  for (const node of nodes) node.name = "basalt-next";
  await Promise.all(nodes.map((node) => node.start()));
  for (const node of nodes) assert.equal((await node.get(`/api/dashboard/${dashboard.id}`, { session })).body.name, "Kept");
  await eventually(() => meta().level === "4", { timeout: 20_000, every: 200, what: "the upgrade in effect" });
  assert.equal(postgres.query("SELECT count(DISTINCT migration) || ' ' || count(*) FILTER (WHERE direction = 'down') FROM basalt.upgrade_history WHERE migration > 1"), "3 0");
  assert.equal(postgres.query("SELECT count(*) FROM basalt.upgrade_node WHERE target_schema = 4"), "3");
  // Each job has one holder, and who leaves gives it up at once.
  const holders = () => postgres.query("SELECT name || '@' || owner_host FROM basalt.upgrade_lock WHERE name LIKE 'job:%' AND purpose IS NOT NULL");
  for (const node of nodes) assert.equal((await node.stop()).code, 0);
  assert.equal(holders(), "");
  assert.equal(postgres.query("SELECT count(*) FROM basalt.upgrade_node"), "0", "who stops in order leaves");
});

test("an older node that was stopped in its sleep commits nothing when it wakes", async (t) => {
  const made = await cluster(t, { count: 2 });
  if (!made) return;
  const { nodes, postgres, meta, upgrade } = made;
  const [sleeper, other] = nodes;
  await sleeper.start();
  await sleeper.set_up();
  await other.start();
  const session = sleeper.session;
  assert.equal((await sleeper.post("/api/dashboard", { name: "before" })).status, 200);
  sleeper.process.kill("SIGSTOP");
  const asked = Array.from({ length: 5 }, (_, i) => sleeper.post("/api/dashboard", { name: `from the past ${i}` }).catch((error) => ({ status: 0, body: error.message })));
  await upgrade(other);
  assert.notEqual(meta().level, "4", "who was heard half a minute ago counts as living");
  // The half minute passes.
  postgres.query("UPDATE basalt.upgrade_node SET heartbeat = heartbeat - interval '31 seconds' WHERE target_schema = 1");
  await eventually(() => meta().level === "4", { timeout: 60_000, every: 200, what: "the upgrade put into effect, once the sleeper is not heard any more" });
  assert.equal((await other.post("/api/dashboard", { name: "after" }, { session })).status, 200);
  sleeper.process.kill("SIGCONT");
  for (const answer of await Promise.all(asked)) {
    assert.equal(answer.status, 503, JSON.stringify(answer.body));
    // One that slept inside a transaction lost its session before: the server ends those after a minute.
    assert.match(JSON.stringify(answer.body), /too old for the data|went away/);
  }
  await eventually(async () => (await sleeper.get("/readyz")).status === 503, { timeout: 10_000, what: "a balancer told that the old node is out" });
  const health = await sleeper.get("/api/health");
  assert.equal(health.status, 503);
  assert.match(health.body.message, /start the newer Basalt here/);
  assert.ok(health.headers.get("retry-after"));
  assert.equal((await sleeper.get("/api/dashboard")).status, 503);
  assert.equal((await sleeper.get("/livez")).status, 200);
  assert.equal(postgres.query("SELECT count(*) FROM basalt.dashboard WHERE name LIKE 'from the past%'"), "0");
  assert.equal((await sleeper.stop()).code, 0);
});
