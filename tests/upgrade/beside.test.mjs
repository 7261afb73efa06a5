// Upgrades beside servers that go on, and two that want to upgrade at once.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";

import { run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

function places(t, engine) {
  const data_directory = scratch_directory();
  t.after(() => rmSync(data_directory, { recursive: true, force: true }));
  const environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
  if (engine === "postgres") {
    const postgres = test_postgres(t);
    if (!postgres) return undefined;
    environment.MB_DB_CONNECTION_URI = postgres.uri;
  }
  const server = (name) => {
    const made = new Server({ name, data_directory, environment, keep: true });
    t.after(() => made.close());
    return made;
  };
  const command = (name, ...args) => run_command([...args, "--data-dir", data_directory], { name, environment });
  return { server, command };
}

for (const engine of ["sqlite", "postgres"]) {
  test(`${engine}: an upgrade beside an older server expands, and is finalised when that is gone`, async (t) => {
    const at = places(t, engine);
    if (!at) return;
    const older = await at.server("basalt").start();
    await older.set_up();
    const before = (await older.post("/api/dashboard", { name: "Before" })).body;

    const up = at.command("basalt-next", "migrate", "up", "--json");
    assert.equal(up.code, 0, up.err + up.out);
    assert.match(JSON.parse(up.out).sentence, /^Expanded to schema 4; 1 node still runs an older version \(.*\)/);
    const status = JSON.parse(at.command("basalt-next", "migrate", "status", "--json").out);
    assert.equal(status.schema, 4);
    assert.equal(status.level, 2);
    assert.equal(status.compat_floor, 1);
    assert.equal(status.pending.length, 2);
    assert.equal(status.nodes.filter((node) => node.live).length, 1);

    // The older one reads and writes as if nothing had happened.
    assert.equal((await older.get(`/api/dashboard/${before.id}`)).body.name, "Before");
    const beside = await older.post("/api/dashboard", { name: "Beside" });
    assert.equal(beside.status, 200, JSON.stringify(beside.body));

    const blocked = at.command("basalt-next", "migrate", "finalize");
    assert.equal(blocked.code, 20, blocked.out + blocked.err);
    assert.match(blocked.err, /older version/);
    await older.stop();
    const finalised = at.command("basalt-next", "migrate", "finalize");
    assert.equal(finalised.code, 0, finalised.out + finalised.err);
    assert.equal(at.command("basalt-next", "migrate", "finalize").code, 10);
    assert.equal(at.command("basalt-next", "migrate", "release-locks").code, 10);

    // From now on the older version is told how to get back.
    const refused = await at.server("basalt").start({ wait: false });
    assert.equal((await refused.gone).code, 20);
    assert.match(refused.log, /basalt migrate down --to 1/);
    const later = await at.server("basalt-next").start();
    later.session = await later.sign_in();
    for (const id of [before.id, beside.body.id]) assert.equal((await later.get(`/api/dashboard/${id}`)).status, 200);
    await later.stop();
  });

  test(`${engine}: of two servers that start at once one upgrades, and both serve`, async (t) => {
    const at = places(t, engine);
    if (!at) return;
    const first = await at.server("basalt").start();
    await first.set_up();
    await first.stop();
    const both = [at.server("basalt-next"), at.server("basalt-next")];
    await Promise.all(both.map((server) => server.start()));
    for (const server of both) {
      server.session = await server.sign_in();
      const updates = (await server.get("/api/basalt/updates")).body;
      assert.equal(updates.schema, 4);
      for (const migration of [2, 3, 4]) assert.equal(updates.history.filter((entry) => entry.migration === migration && entry.direction === "up" && entry.state !== "finalised").length, 1, `migration ${migration} ran once`);
    }
    for (const server of both) await server.stop();
  });

  test(`${engine}: of two servers that start at once on nothing one creates, and both serve`, async (t) => {
    const at = places(t, engine);
    if (!at) return;
    const both = [at.server("basalt"), at.server("basalt")];
    await Promise.all(both.map((server) => server.start()));
    await both[0].set_up();
    both[1].session = await both[1].sign_in();
    assert.equal((await both[1].get("/api/basalt/updates")).body.schema, 1);
    for (const server of both) await server.stop();
  });
}
