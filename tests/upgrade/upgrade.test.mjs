// Real upgrades and step-downs: the binary is swapped for a later one and back, on both engines.
import assert from "node:assert/strict";
import { test } from "node:test";

import { run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";
import { rmSync } from "node:fs";

const engines = ["sqlite", "postgres"];

// The server's places, the same for every binary that is started on them.
function places(t, engine) {
  const data_directory = scratch_directory();
  t.after(() => rmSync(data_directory, { recursive: true, force: true }));
  const environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
  if (engine === "postgres") {
    const postgres = test_postgres(t);
    if (!postgres) return undefined;
    environment.MB_DB_CONNECTION_URI = postgres.uri;
  }
  const server = async (name) => {
    const made = new Server({ name, data_directory, environment, keep: true });
    t.after(() => made.close());
    return made;
  };
  const command = (name, ...args) => run_command([...args, "--data-dir", data_directory], { name, environment });
  return { server, command, data_directory };
}

for (const engine of engines) {
  test(`${engine}: upgrade, step down, upgrade again keeps everything`, async (t) => {
    const at = places(t, engine);
    if (!at) return;

    const first = await (await at.server("basalt")).start();
    await first.set_up();
    const dashboard = (await first.post("/api/dashboard", { name: "Before", parameters: [{ id: "aaaaaaaa", name: "State", slug: "state", type: "string/=" }] })).body;
    const group = (await first.post("/api/permissions/group", { name: "Analysts" })).body;
    assert.equal((await first.stop()).code, 0);

    // The later binary refuses nothing: it plans, backs up, migrates, serves.
    const plan = at.command("basalt-next", "migrate", "plan", "--json");
    assert.equal(plan.code, 0, plan.err);
    assert.equal(JSON.parse(plan.out).steps.length, 3);
    const later = await (await at.server("basalt-next")).start();
    later.session = await later.sign_in();
    assert.equal((await later.get(`/api/dashboard/${dashboard.id}`)).body.name, "Before");
    const made_later = (await later.post("/api/dashboard", { name: "Made on the later one" })).body;
    const updates = (await later.get("/api/basalt/updates")).body;
    assert.equal(updates.schema, 4);
    assert.ok(updates.backups.some((backup) => backup.verified_at), "a verified backup was taken");
    assert.equal((await later.stop()).code, 0);

    // The older binary says in one sentence what to do, and changes nothing.
    const status = JSON.parse(at.command("basalt", "migrate", "status", "--json").out);
    const refused = await (await at.server("basalt")).start({ wait: false });
    const ended = await refused.gone;
    if (status.decision === "Refuse" || ended) {
      assert.notEqual(ended.code, 0);
      assert.match(refused.log, /basalt migrate down --to 1/);
    }

    // The older binary steps down itself: the way back is stored with the data.
    const down = at.command("basalt", "migrate", "down", "--to", "1");
    assert.equal(down.code, 0, down.err + down.out);
    const older = await (await at.server("basalt")).start();
    older.session = await older.sign_in();
    assert.equal((await older.get(`/api/dashboard/${made_later.id}`)).body.name, "Made on the later one");
    assert.deepEqual((await older.get(`/api/dashboard/${dashboard.id}`)).body.parameters, dashboard.parameters);
    assert.equal((await older.get(`/api/permissions/group/${group.id}`)).body.name, "Analysts");
    const made_older = (await older.post("/api/dashboard", { name: "Made after going back" })).body;
    assert.equal((await older.stop()).code, 0);

    // And up again, with what was made in between.
    const up = at.command("basalt-next", "migrate", "up", "--json");
    assert.equal(up.code, 0, up.err + up.out);
    assert.equal(at.command("basalt-next", "migrate", "up").code, 10, "nothing to do the second time");
    const again = await (await at.server("basalt-next")).start();
    again.session = await again.sign_in();
    for (const id of [dashboard.id, made_later.id, made_older.id]) assert.equal((await again.get(`/api/dashboard/${id}`)).status, 200);
    await again.stop();
  });

  test(`${engine}: a backup restores what was there`, async (t) => {
    const at = places(t, engine);
    if (!at) return;
    const server = await (await at.server("basalt")).start();
    await server.set_up();
    const dashboard = (await server.post("/api/dashboard", { name: "Kept" })).body;
    const backup = await server.post("/api/basalt/backup");
    assert.equal(backup.status, 200, JSON.stringify(backup.body));
    assert.ok(backup.body.verified_at);
    await server.delete(`/api/dashboard/${dashboard.id}`);
    await server.stop();

    assert.equal(at.command("basalt", "backup", "verify").code, 0);
    assert.equal(JSON.parse(at.command("basalt", "backup", "list", "--json").out).length, 1);
    const restored = at.command("basalt", "restore", backup.body.path);
    assert.equal(restored.code, 0, restored.err + restored.out);

    const after = await (await at.server("basalt")).start();
    after.session = await after.sign_in();
    assert.equal((await after.get(`/api/dashboard/${dashboard.id}`)).body.name, "Kept");
    await after.stop();
  });

  test(`${engine}: killed while it migrates, a plain restart finishes`, async (t) => {
    const at = places(t, engine);
    if (!at) return;
    const first = await (await at.server("basalt")).start();
    await first.set_up();
    for (let i = 0; i < 20; ++i) await first.post("/api/dashboard", { name: `Dashboard ${i}` });
    await first.stop();
    for (const after of [5, 20, 40, 80, 160]) {
      const killed = await (await at.server("basalt-next")).start({ wait: false });
      await new Promise((resolve) => setTimeout(resolve, after));
      await killed.stop("SIGKILL");
    }
    const server = await (await at.server("basalt-next")).start();
    server.session = await server.sign_in();
    assert.equal((await server.get("/api/dashboard")).body.length, 20);
    assert.equal((await server.get("/api/basalt/updates")).body.schema, 4);
    await server.stop();
  });
}

test("automigrate off stops with the plan and changes nothing", async (t) => {
  const at = places(t, "sqlite");
  const first = await (await at.server("basalt")).start();
  await first.stop();
  const blocked = run_command(["serve", "--port", "0", "--data-dir", at.data_directory], { name: "basalt-next", environment: { MB_DB_AUTOMIGRATE: "false" } });
  assert.equal(blocked.code, 20, blocked.err);
  assert.match(blocked.err, /migrate up/);
  assert.equal(JSON.parse(at.command("basalt", "migrate", "status", "--json").out).schema, 1);
});
