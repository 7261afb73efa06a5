// The server as an operator meets it: start, health, refusals, stop.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";

import { eventually, run_command, scratch_directory, Server, started, test_postgres } from "../runner/server.mjs";

const small = { environment: { MB_LOAD_SAMPLE_CONTENT: "false" } };

test("a fresh server is healthy, documents itself and serves the app", async (t) => {
  const server = await started(t, small);
  assert.deepEqual((await server.get("/api/health")).body, { status: "ok" });
  assert.equal((await server.get("/livez")).status, 200);
  assert.equal((await server.get("/readyz")).status, 200);
  assert.match((await server.get("/metrics")).body, /^basalt_/m);

  const missing = await server.get("/api/nothing/here");
  assert.equal(missing.status, 404);
  assert.equal(missing.body, "API endpoint does not exist.");
  assert.equal((await server.get("/api/user/current")).status, 401);
  assert.equal((await server.get("/api/user/current")).body, "Unauthenticated");
  assert.equal((await server.get("/api/health/")).status, 200, "a trailing slash is the same");

  const page = await server.get("/dashboard/1");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /text\/html/);
  assert.match(page.body, /<div id="root">/);
  assert.equal((await server.get("/assets/nothing.js")).status, 404);

  const docs = (await server.get("/api/docs/openapi.json")).body;
  assert.match(docs.openapi, /^3\.1/);
  for (const path of ["/api/card/{id}", "/api/dashboard", "/api/dataset", "/api/database/{id}/metadata", "/api/collection/graph"]) assert.ok(docs.paths[path], path);
  const health = await server.get("/api/health");
  assert.ok(health.headers.get("x-request-id"));
  assert.match(health.headers.get("cache-control"), /no-cache/);
  assert.equal(health.headers.get("x-content-type-options"), "nosniff");
});

test("the set-up can be done once, with its token", async (t) => {
  const server = await started(t, small);
  const token = (await server.get("/api/session/properties")).body["setup-token"];
  assert.ok(token);
  const user = { email: "a@example.com", password: "Quarry-4-columns" };
  const wrong = await server.post("/api/setup", { token: "wrong", user, prefs: { site_name: "x" } });
  assert.equal(wrong.status, 400);
  assert.ok(wrong.body.errors.token);
  const weak = await server.post("/api/setup", { token, user: { ...user, password: "a" }, prefs: { site_name: "x" } });
  assert.equal(weak.status, 400);
  await server.set_up();
  assert.equal((await server.post("/api/setup", { token, user, prefs: { site_name: "x" } })).status, 400);
  const properties = (await server.get("/api/session/properties")).body;
  assert.equal(properties["has-user-setup"], true);
  assert.equal(properties["site-name"], "Test shop");
  assert.match(properties.version.tag, /^v\d+\.\d+\.\d+$/);
});

test("guessing passwords is slowed down, and unknown people look like wrong passwords", async (t) => {
  const server = await started(t, small);
  await server.set_up();
  const attempt = (username, password) => server.post("/api/session", { username, password }, { session: undefined });
  const unknown = await attempt("nobody@example.com", "x");
  const wrong = await attempt("ada@example.com", "x");
  assert.equal(unknown.status, 401);
  assert.deepEqual(unknown.body, wrong.body);
  let last;
  for (let i = 0; i < 12; ++i) last = await attempt("ada@example.com", "x");
  assert.equal(last.status, 401);
  assert.match(last.body.errors.username, /Too many attempts/);
});

test("signing out ends the session", async (t) => {
  const server = await started(t, small);
  await server.set_up();
  const session = await server.sign_in();
  assert.equal((await server.get("/api/user/current", { session })).status, 200);
  assert.equal((await server.delete("/api/session", { session })).status, 204);
  assert.equal((await server.get("/api/user/current", { session })).status, 401);
});

test("each refusal to start is one sentence", async (t) => {
  const say = (directory, options = {}) => run_command(["serve", "--port", "0", "--data-dir", directory], options);

  const taken = createServer();
  await new Promise((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const port_taken = run_command(["serve", "--port", String(taken.address().port), "--data-dir", scratch_directory()]);
  taken.close();
  assert.notEqual(port_taken.code, 0);
  assert.match(port_taken.err, /basalt: .*in use/);

  const not_sqlite = scratch_directory();
  writeFileSync(join(not_sqlite, "basalt.db"), "this is no database, only some text that is long enough to be looked at by SQLite".repeat(20));
  assert.match(say(not_sqlite).err, /basalt: .*(not a SQLite|no SQLite)/i);

  const foreign = scratch_directory();
  const made = spawnSync("python3", ["-c", `import sqlite3; c = sqlite3.connect(${JSON.stringify(join(foreign, "basalt.db"))}); c.execute("create table theirs (a)"); c.commit()`]);
  assert.equal(made.status, 0);
  assert.match(say(foreign).err, /basalt: .*(not|another)/i);

  for (const refused of [["serve", "--port", "many"], ["serve", "--no-such-option"], ["no-such-command"]]) {
    const result = run_command(refused);
    assert.notEqual(result.code, 0);
    assert.ok(result.err.length > 0);
  }
  const uri = run_command(["serve", "--port", "0", "--data-dir", scratch_directory()], { environment: { MB_DB_CONNECTION_URI: "jdbc:mysql://db/app" } });
  assert.match(uri.err, /cannot live on mysql/);
  const unreachable = run_command(["serve", "--port", "0", "--data-dir", scratch_directory()], { environment: { MB_DB_CONNECTION_URI: "postgres://u:hunter22@127.0.0.1:1/app" } });
  assert.notEqual(unreachable.code, 0);
  assert.doesNotMatch(unreachable.err, /hunter22/);
});

test("a wrong encryption key is noticed at start, and the right one goes on", async (t) => {
  const data_directory = scratch_directory();
  const key = { MB_LOAD_SAMPLE_CONTENT: "false", MB_ENCRYPTION_SECRET_KEY: "the first key, long enough" };
  const first = new Server({ data_directory, environment: key, keep: true });
  t.after(() => first.close());
  await first.start();
  await first.stop();
  const wrong = run_command(["serve", "--port", "0", "--data-dir", data_directory], { environment: { ...key, MB_ENCRYPTION_SECRET_KEY: "another key, also long enough" } });
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.err, /encryption key is not the one/);
  const missing = run_command(["serve", "--port", "0", "--data-dir", data_directory]);
  assert.match(missing.err, /encryption key/);
  await first.start();
  await first.stop();
});

test("malformed and oversized requests get one clear answer, and the server goes on", async (t) => {
  const server = await started(t, small);
  await server.set_up();
  const bad = await server.post("/api/dataset", "{not json");
  assert.equal(bad.status, 400);
  assert.match(JSON.stringify(bad.body), /not JSON/);
  const deep = await server.post("/api/dataset", "[".repeat(100_000));
  assert.equal(deep.status, 400);
  const wrong_type = await server.post("/api/dashboard", { name: 7 });
  assert.equal(wrong_type.status, 400);
  assert.ok(wrong_type.body.errors.name);
  const huge = await server.post("/api/dashboard", JSON.stringify({ name: "x".repeat(20_000_000) })).catch((error) => ({ status: 413, cut: error }));
  assert.equal(huge.status, 413);
  const header = await new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1", () => socket.write(`GET /api/health HTTP/1.1\r\nhost: x\r\nx-long: ${"y".repeat(100_000)}\r\n\r\n`));
    let text = "";
    socket.on("data", (chunk) => (text += chunk));
    socket.on("close", () => resolve(text));
    socket.on("error", () => resolve(text));
  });
  assert.match(header, /^HTTP\/1\.1 (431|400)|^$/);
  assert.equal((await server.get("/api/health")).status, 200);
});

test("SIGTERM lets a running request finish and ends with 0", async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  const server = await started(t, small);
  await server.set_up();
  const made = await server.post("/api/database", { name: "pg", engine: "postgres", details: postgres.details });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  await server.synced(made.body.id);
  const running = server.dataset({ database: made.body.id, type: "native", native: { query: "select pg_sleep(1.5), 7 as seven" } });
  await eventually(() => postgres.query("select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'") !== "0", { what: "a running query" });
  const ended = server.stop();
  const result = await running;
  assert.equal(result.status, "completed", JSON.stringify(result));
  assert.equal(result.data.rows[0][1], 7);
  assert.equal((await ended).code, 0);
});

test("with PostgreSQL everything is in a schema of its own", async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  postgres.query("create table core_user (id int); insert into core_user values (1)");
  const server = await started(t, { environment: { MB_DB_CONNECTION_URI: "jdbc:" + postgres.uri.replace("postgres:", "postgresql:"), MB_LOAD_SAMPLE_CONTENT: "false" } });
  await server.set_up();
  assert.equal(postgres.query("select count(*) from pg_tables where schemaname = 'public'"), "1");
  assert.ok(Number(postgres.query("select count(*) from pg_tables where schemaname = 'basalt'")) > 20);
  assert.equal(postgres.query("select count(*) from core_user"), "1");
});

test("doctor says where values come from and never a secret", () => {
  const directory = scratch_directory();
  const { out, code } = run_command(["doctor", "--data-dir", directory], { environment: { MB_JETTY_PORT: "3456", MB_ENCRYPTION_SECRET_KEY: "a secret that nobody may see", BASALT_PROT: "1" } });
  assert.match(out, /port\s+3456\s+\[environment MB_JETTY_PORT\]/);
  assert.doesNotMatch(out, /nobody may see/);
  assert.match(out, /did you mean BASALT_PORT/);
  assert.equal(code, 0, out);
  for (const help of [["help"], ["help", "migrate", "down"], ["--help"], ["serve", "--help"], ["backup", "create", "--help"]]) assert.equal(run_command(help).code, 0, help.join(" "));
  assert.match(run_command(["version"]).out, /^basalt \d+\.\d+\.\d+\n$/);
});
