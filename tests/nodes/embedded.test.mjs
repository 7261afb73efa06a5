// One server on the embedded store, and other processes that change its data under it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { test } from "node:test";

import { binary, eventually, run_command, scratch_directory, Server } from "../runner/server.mjs";
import { People } from "./cluster.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const environment = { MB_LOAD_SAMPLE_CONTENT: "false", BASALT_BAKE_TIME: "0" };

async function embedded(t) {
  const data_directory = scratch_directory();
  const server = new Server({ name: "basalt", data_directory, environment, keep: true });
  t.after(async () => {
    await server.close();
    rmSync(data_directory, { recursive: true, force: true });
  });
  await server.start();
  await server.set_up();
  return { server, command: (name, ...args) => run_command([...args, "--data-dir", data_directory], { name, environment }) };
}

test("a later version upgrades the data beside a server, which goes on without a failed request", async (t) => {
  const { server, command } = await embedded(t);
  const people = new People(server.url, server.session, { count: 3 }).begin();
  await sleep(1000);
  // Not run_command, which would hold up the people: they live in this process.
  const up = spawn(binary("basalt-next"), ["migrate", "up", "--data-dir", server.data_directory], { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [up.stdout, up.stderr]) stream.on("data", (chunk) => (said += chunk));
  const code = await new Promise((resolve) => up.once("exit", resolve));
  assert.equal(code, 0, said);
  await sleep(1000);
  await people.end();
  t.diagnostic(`${people.writes} writes, ${people.reads} reads, slowest ${Math.round(people.slowest)} ms`);
  assert.deepEqual(people.failures, []);
  assert.deepEqual(await people.missing(server), []);
  const half = JSON.parse(command("basalt", "migrate", "status", "--json").out);
  assert.equal(half.schema, 4);
  assert.notEqual(half.level, 4, "not in effect while the older server lives");

  // The later binary in its place puts the rest into effect; the older one then says why it cannot.
  assert.equal((await server.stop()).code, 0);
  server.name = "basalt-next";
  await server.start();
  assert.deepEqual(await people.missing(server), []);
  await eventually(() => JSON.parse(command("basalt-next", "migrate", "status", "--json").out).level === 4, { what: "the upgrade put into effect", every: 300 });
  assert.deepEqual(await people.missing(server), []);
  assert.equal((await server.stop()).code, 0);
  server.name = "basalt";
  server.log = "";
  await server.start({ wait: false });
  assert.notEqual((await server.gone).code, 0);
  assert.match(server.log, /newer than this Basalt[^\n]*migrate down --to 1/);
  const down = command("basalt", "migrate", "down", "--to", "1");
  assert.equal(down.code, 0, down.err);
  await server.start();
  assert.deepEqual(await people.missing(server), []);
});

test("a backup by hand beside a server takes nothing away from it, not even when the server is killed then", async (t) => {
  const { server, command } = await embedded(t);
  const people = new People(server.url, server.session, { count: 2 }).begin();
  for (let i = 0; i < 3; ++i) {
    await sleep(200);
    assert.equal(command("basalt", "backup", "create").code, 0);
  }
  await sleep(500);
  server.process.kill("SIGKILL");
  await server.gone;
  await people.end();
  await server.start();
  const missing = await people.missing(server);
  // One write per person may have been on its way: done but never acknowledged.
  assert.deepEqual(missing.filter((line) => !/: 200, /.test(line)), []);
  assert.ok(missing.length <= 2, missing.join("\n"));
});

test("a restore asked for on the page starts the server anew on the restored data", async (t) => {
  const { server } = await embedded(t);
  const kept = (await server.post("/api/dashboard", { name: "Kept" })).body;
  const backup = (await server.post("/api/basalt/backup")).body;
  assert.ok(backup.id, JSON.stringify(backup));
  const lost = (await server.post("/api/dashboard", { name: "After the backup" })).body;
  const pid = server.process.pid;
  const asked = await server.post("/api/basalt/backup/restore", { id: backup.id, confirm: "RESTORE" });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  // Sessions are in no backup.
  const session = await eventually(async () => {
    if (!/Starting anew/.test(server.log)) return undefined;
    return server.sign_in();
  }, { timeout: 30_000, what: "the server serving the restored data" });
  assert.equal(server.process.pid, pid);
  assert.equal(server.exited, undefined);
  assert.equal((await server.get(`/api/dashboard/${kept.id}`, { session })).body.name, "Kept");
  assert.equal((await server.get(`/api/dashboard/${lost.id}`, { session })).status, 404);
  assert.equal((await server.post("/api/dashboard", { name: "Now" }, { session })).status, 200);
  assert.equal((await server.stop()).code, 0);
});
