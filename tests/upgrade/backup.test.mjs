// Backups as an operator uses them: encrypted, tried out, moved to the other engine, and restored beside nobody.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

function place(t) {
  const directory = scratch_directory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const command = (data_directory, environment, ...args) => run_command([...args, "--data-dir", data_directory], { environment: { MB_LOAD_SAMPLE_CONTENT: "false", ...environment } });

test("a drill starts this program on a backup, an encrypted one too", async (t) => {
  const directory = place(t);
  const server = await new Server({ data_directory: directory, environment: { MB_LOAD_SAMPLE_CONTENT: "false", BASALT_ENCRYPTION_SECRET_KEY: "0123456789abcdef" }, keep: true }).start();
  t.after(() => server.close());
  await server.set_up();
  await server.post("/api/dashboard", { name: "Kept" });
  mkdirSync(join(directory, "uploads"), { recursive: true });
  writeFileSync(join(directory, "uploads", "a.csv"), "id\n1\n");
  const words = join(directory, "words.txt");
  writeFileSync(words, "correct horse battery staple\n");
  const key = { BASALT_ENCRYPTION_SECRET_KEY: "0123456789abcdef" };

  // While the server serves.
  const made = command(directory, key, "backup", "create", "--json", "--passphrase-file", words);
  assert.equal(made.code, 0, made.err);
  const backup = JSON.parse(made.out);
  assert.equal(backup.encrypted, true);
  assert.equal(backup.files, 1);
  assert.ok(!readFileSync(backup.path).includes("Kept"));

  const drilled = command(directory, key, "backup", "drill", "--json", "--passphrase-file", words);
  assert.equal(drilled.code, 0, drilled.err);
  const result = JSON.parse(drilled.out);
  assert.equal(result.dashboards, 1);
  assert.ok(result.people >= 1);
  const listed = JSON.parse(command(directory, key, "backup", "list", "--json").out);
  assert.ok(listed[0].drilled_at, "the list tells of the drill");
  assert.equal(listed[0].rows, 0, "and nothing that only the passphrase shows");
  assert.deepEqual(readdirSync(join(directory, "backups")).filter((name) => name.startsWith(".drill")), []);

  const without = command(directory, key, "backup", "drill");
  assert.notEqual(without.code, 0);
  assert.match(without.err, /is encrypted; give its passphrase/);
  writeFileSync(words, "wrong\n");
  assert.match(command(directory, key, "backup", "verify", "--passphrase-file", words).err, /The passphrase is not the one/);
  assert.equal((await server.stop()).code, 0);
});

test("move carries everything to PostgreSQL and back, refuses what is in use or not empty", async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  const directory = place(t), back = place(t);
  const environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
  const server = await new Server({ data_directory: directory, environment, keep: true }).start();
  t.after(() => server.close());
  await server.set_up();
  const dashboard = (await server.post("/api/dashboard", { name: "Moved" })).body;

  const in_use = command(directory, {}, "move", "--to", postgres.uri);
  assert.equal(in_use.code, 20, in_use.err);
  assert.equal((await server.stop()).code, 0);

  const before = command(directory, {}, "migrate", "fingerprint").out;
  const moved = command(directory, {}, "move", "--to", postgres.uri);
  assert.equal(moved.code, 0, moved.err);
  assert.match(moved.out, /from SQLite to PostgreSQL/);
  assert.match(moved.out, /Set BASALT_DATABASE_URI/);
  assert.ok(!moved.out.includes(postgres.uri), "the address may hold a password");
  assert.equal(command(directory, {}, "migrate", "fingerprint").out, before, "the source is as it was");
  assert.equal(command(directory, { MB_DB_CONNECTION_URI: postgres.uri }, "migrate", "fingerprint").out, before);
  assert.equal(command(directory, {}, "move", "--to", postgres.uri).code, 20, "the target is not empty any more");

  const there = await new Server({ data_directory: directory, environment: { ...environment, MB_DB_CONNECTION_URI: postgres.uri }, keep: true }).start();
  t.after(() => there.close());
  there.session = await there.sign_in();
  assert.equal((await there.get(`/api/dashboard/${dashboard.id}`)).body.name, "Moved");
  assert.equal((await there.stop()).code, 0);

  const target = join(back, "home");
  const returned = command(directory, { MB_DB_CONNECTION_URI: postgres.uri }, "move", "--to", target);
  assert.equal(returned.code, 0, returned.err);
  assert.match(returned.out, /from PostgreSQL to SQLite/);
  const home = await new Server({ data_directory: target, environment, keep: true }).start();
  t.after(() => home.close());
  home.session = await home.sign_in();
  assert.equal((await home.get(`/api/dashboard/${dashboard.id}`)).body.name, "Moved");
  assert.equal((await home.stop()).code, 0);
});
