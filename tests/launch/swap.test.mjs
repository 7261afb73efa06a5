// One server process takes the place of another on the same socket, and nobody who asks notices.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { binary, eventually, run_command, scratch_directory, started, test_postgres } from "../runner/server.mjs";
import { alive, Crowd, launched, processes_of } from "./launched.mjs";

const swaps = process.env.BASALT_CHAOS === "full" ? 20 : 5;

async function many_swaps(t, server) {
  await server.set_up();
  const first = await server.settled();
  const crowd = new Crowd(server);
  const wrk = spawnSync("which", ["wrk"]).status === 0 ? spawn("wrk", ["-t1", "-c16", "-d600s", `${server.url}/api/health`]) : undefined;
  let measured = "";
  wrk?.stdout.on("data", (chunk) => (measured += chunk));
  const seen = new Set([first.process]);
  for (let i = 0; i < swaps; i++) {
    const answer = await server.swap();
    assert.ok(answer.ok, answer.message);
    const now = await server.serving();
    assert.ok(!seen.has(now.process), "another process serves");
    seen.add(now.process);
    // Something is written through each of them, and is there in the next.
    const made = await server.post("/api/collection", { name: `made by ${i}` });
    assert.equal(made.status, 200, JSON.stringify(made.body));
  }
  await crowd.stop();
  if (wrk) {
    const over = new Promise((resolve) => wrk.once("exit", resolve));
    wrk.kill("SIGINT");
    await over;
    assert.match(measured, /requests in/);
    assert.doesNotMatch(measured, /Socket errors|Non-2xx/, measured);
    t.diagnostic(measured.split("\n").filter((line) => /Latency|requests in|Requests\/sec/.test(line)).map((line) => line.trim()).join("; "));
  } else {
    t.diagnostic("wrk is not installed; the crowd alone asked");
  }
  assert.deepEqual(crowd.failed, []);
  assert.ok(crowd.answered > 20, `${crowd.answered} answers`);
  t.diagnostic(`${swaps} swaps, ${crowd.answered} answers, the slowest ${crowd.slowest} ms, none failed`);
  const names = (await server.get("/api/collection")).body.map((one) => one.name);
  for (let i = 0; i < swaps; i++) assert.ok(names.includes(`made by ${i}`), names.join());
  await eventually(async () => (await server.status()).children.length === 1, { what: "the former ones having gone", timeout: 60_000 });
  const ended = await server.stop();
  assert.deepEqual(ended, { code: 0, signal: null });
  assert.deepEqual(processes_of(server.data_directory), []);
}

test("nobody notices that server processes follow each other, on SQLite", async (t) => many_swaps(t, await launched(t)));

test("nobody notices that server processes follow each other, on PostgreSQL", async (t) => {
  const postgres = test_postgres(t);
  if (postgres) await many_swaps(t, await launched(t, { environment: { BASALT_DATABASE_URI: postgres.uri } }));
});

test("SIGHUP is a swap, also to the program that was installed meanwhile", async (t) => {
  const folder = scratch_directory();
  const program = join(folder, "basalt");
  copyFileSync(binary("basalt"), program);
  const server = await launched(t, { data_directory: join(folder, "data"), program });
  await server.set_up();
  const before = await server.settled();
  // As a package does: another file in its place. A server that dies comes back as what was installed when it was looked at last.
  copyFileSync(binary("basalt-next"), program + ".new");
  chmodSync(program + ".new", 0o755);
  renameSync(program + ".new", program);
  process.kill(before.process, "SIGKILL");
  const again = await eventually(async () => {
    const child = await server.serving();
    return child?.ready && child.process !== before.process && child;
  });
  const version = () => server.log.match(/Listening .*version=\S+/g).at(-1).split("version=")[1];
  assert.equal(version(), "0.1.0");
  const crowd = new Crowd(server);
  server.process.kill("SIGHUP");
  const after = await eventually(async () => {
    const child = await server.serving();
    return child?.ready && child.process !== again.process && child;
  });
  assert.ok(after);
  assert.equal(version(), "0.2.0");
  await eventually(() => !alive(again.process), { what: "the end of the old one" });
  await crowd.stop();
  assert.deepEqual(crowd.failed, [], `the schema changed meanwhile, and nobody noticed`);
  assert.equal((await server.get("/api/user/current")).status, 200, "the session goes on");
});

test("two of one launcher are two nodes", async (t) => {
  const server = await launched(t);
  await server.set_up();
  const names = async () => JSON.parse(run_command(["migrate", "status", "--json", "--data-dir", server.data_directory]).out).nodes.filter((node) => node.live).map((node) => node.name);
  const alone = await names();
  assert.equal(alone.length, 1);
  for (const name of [`${alone[0]}/2`, alone[0]]) {
    await eventually(async () => (await server.status()).children.length === 1, { what: "the former one having gone" });
    assert.ok((await server.swap()).ok);
    await eventually(async () => (await names()).join() === name, { what: `a node called ${name} alone`, every: 300 });
  }
});

test("a new process that does not become ready is ended, the old one goes on, and the log and the status say why", async (t) => {
  const folder = scratch_directory();
  const program = join(folder, "basalt");
  copyFileSync(binary("basalt"), program);
  chmodSync(program, 0o755);
  const server = await launched(t, { data_directory: join(folder, "data"), program, args: ["--start-patience", "10"] });
  const before = await server.settled();
  const crowd = new Crowd(server, { people: 4 });
  const replace = (text) => {
    writeFileSync(program + ".new", text);
    chmodSync(program + ".new", 0o755);
    renameSync(program + ".new", program);
  };
  const bad = [
    ["#!/bin/sh\nexec sleep 1000\n", /did not become ready: nothing moved for 10 seconds/],
    ["#!/bin/sh\necho 'basalt: there is no moon tonight.' >&2\nexit 20\n", /ended with code 20: basalt: there is no moon tonight\./],
    ["this is no program", /ended with code 127: .*Exec format error/],
    ["#!/bin/sh\nkill -SEGV $$\n", /was ended by signal 11/],
  ];
  for (const [text, words] of bad) {
    replace(text);
    const answer = await server.swap();
    assert.equal(answer.ok, false);
    assert.match(answer.message, words);
    const status = await server.status();
    assert.match(status.last_swap.message, words);
    assert.equal(status.last_swap.ok, false);
    assert.equal((await server.serving()).process, before.process);
  }
  assert.match(server.log, /The server goes on as it was.*nothing moved/);
  const told = run_command(["launch", "status", "--data-dir", server.data_directory]);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /serves[^]*was ended by signal 11/);
  const refused = run_command(["launch", "swap", "--data-dir", server.data_directory]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /was ended by signal 11/);
  await crowd.stop();
  assert.deepEqual(crowd.failed, []);
  // A good one works again after that.
  copyFileSync(binary("basalt"), program + ".new");
  renameSync(program + ".new", program);
  assert.ok((await server.swap()).ok);
  await eventually(() => !alive(before.process), { what: "the end of the old one" });
});

test("running requests are finished by the process that took them", async (t) => {
  const server = await launched(t, { args: ["--drain-time", "200"] });
  await server.set_up();
  const sample = await server.sample_database();
  const query = { database: sample.id, type: "native", native: { query: "SELECT count(*) FROM range(150000000) numbers(i) WHERE i % 7 = 3 AND i % 11 < 100" } };
  const slow = server.post("/api/dataset", query);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok((await server.swap()).ok);
  const { status, body } = await slow;
  assert.equal(status, 202);
  assert.equal(Number(body.data.rows[0][0]), 21428571);
});

for (const beneath of ["beneath the launcher", "by itself"]) {
  test(`a restore starts the server anew ${beneath}, and nobody is refused meanwhile`, async (t) => {
    const server = beneath === "by itself" ? await started(t) : await launched(t);
    await server.set_up();
    const process_of = async () => beneath === "by itself" ? server.process.pid : (await server.settled()).process;
    const before = await process_of();
    const backup = (await server.post("/api/basalt/backup")).body;
    assert.ok(backup.id, JSON.stringify(backup));
    const crowd = new Crowd(server, { people: 4, path: "/livez" });
    const asked = await server.post("/api/basalt/backup/restore", { id: backup.id, confirm: "RESTORE" });
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    server.session = await eventually(() => /Starting anew/.test(server.log) && server.sign_in(), { what: "the server serving the restored data" });
    assert.equal(await process_of(), before, "the same process, another life");
    await crowd.stop();
    assert.deepEqual(crowd.failed, []);
    if (beneath !== "by itself") assert.ok((await server.swap()).ok, "it still hears the launcher");
    assert.equal((await server.get("/api/user/current")).status, 200);
    assert.equal((await server.stop()).code, 0);
  });
}
