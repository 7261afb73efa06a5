// Whatever is killed: a plain start serves again on the same port, and nothing is left over.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { eventually, free_port, Server } from "../runner/server.mjs";
import { alive, launched, Launched, processes_of } from "./launched.mjs";

test("a server that dies is started again, ever more slowly while it keeps dying", async (t) => {
  const server = await launched(t);
  await server.set_up();
  const pauses = [];
  for (let i = 0; i < 3; i++) {
    const child = await server.settled();
    process.kill(child.process, "SIGKILL");
    await eventually(() => !alive(child.process));
    await server.healthy();
  }
  for (const [, ms] of server.log.matchAll(/was ended by signal 9 \(Killed\)[^\n]*; it is started again[^\n]*after_ms=(\d+)/g)) pauses.push(Number(ms));
  assert.equal(pauses.length, 3);
  assert.equal(pauses[0], 200);
  // On a machine so slow that a start takes ten seconds, they do not count as one after the other.
  assert.ok(pauses[1] === 400 || pauses[1] === 200, pauses.join());
  assert.equal((await server.get("/api/user/current")).status, 200);
  assert.match((await server.status()).last_end, /was ended by signal 9/);
});

test("people who ask while no server is there wait, and are answered by the next one", async (t) => {
  const server = await launched(t);
  const child = await server.settled();
  process.kill(child.process, "SIGKILL");
  await eventually(() => !alive(child.process));
  const answer = await server.get("/livez");
  assert.equal(answer.status, 200);
});

for (const who of ["the launcher", "the server", "both"]) {
  test(`after kill -9 of ${who} a plain start serves at once, and nothing is left over`, async (t) => {
    const server = await launched(t);
    await server.set_up();
    const child = await server.settled();
    if (who === "the server") {
      process.kill(child.process, "SIGKILL");
      await eventually(() => !alive(child.process));
      await server.healthy();
      await server.stop();
    } else {
      if (who === "both") process.kill(child.process, "SIGKILL");
      await server.stop("SIGKILL");
    }
    const began = Date.now();
    await server.start();
    t.diagnostic(`serves ${Date.now() - began} ms later`);
    assert.equal((await server.get("/api/user/current")).status, 200);
    await eventually(() => !alive(child.process), { what: "the former server's end" });
    await eventually(() => processes_of(server.data_directory).length === 2, { what: "one launcher and one server" });
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.deepEqual(processes_of(server.data_directory), []);
    // Without a launcher as well.
    const plain = new Server({ data_directory: server.data_directory, keep: true });
    plain.port = server.port;
    plain.session = server.session;
    t.after(() => plain.close());
    await plain.start();
    assert.equal((await plain.get("/api/user/current")).status, 200);
  });
}

test("a server that hung when its launcher was killed does not keep the port", async (t) => {
  const server = await launched(t);
  const child = await server.settled();
  process.kill(child.process, "SIGSTOP");
  await server.stop("SIGKILL");
  await server.start();
  assert.ok(!alive(child.process));
});

test("what a launcher that was killed left behind, and hears nothing, is ended; a stranger is not", async (t) => {
  const server = new Launched();
  server.port = await free_port();
  t.after(() => server.close());
  const deaf = spawn("python3", ["-c", `
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", ${server.port})); s.listen(1); print("here", flush=True); signal.pause()
`], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => deaf.kill("SIGKILL"));
  await new Promise((resolve) => deaf.stdout.once("data", resolve));
  const started = Number(readFileSync(`/proc/${deaf.pid}/stat`, "utf8").split(") ")[1].split(" ")[19]);
  mkdirSync(server.versions, { recursive: true });
  const record = (when) => writeFileSync(join(server.versions, "children.json"), JSON.stringify({ children: [{ pid: deaf.pid, started: when }] }));
  record(started + 1);  // another process had that number
  await server.start({ wait: false });
  assert.deepEqual(await server.gone, { code: 1, signal: null });
  assert.ok(alive(deaf.pid));
  record(started);
  await server.start();
  assert.match(server.log, /left behind holds the port; it is ended/);
  assert.ok(!alive(deaf.pid));
});

test("a launcher whose server ended while it was told to stop stops", async (t) => {
  const server = await launched(t);
  const child = await server.settled();
  process.kill(child.process, "SIGSTOP");
  server.process.kill("SIGTERM");  // also wakes the one that was stopped
  assert.deepEqual(await server.gone, { code: 0, signal: null });
  assert.deepEqual(processes_of(server.data_directory), []);
});

test("two launchers on one data directory: the second says so and goes", async (t) => {
  const server = await launched(t);
  const second = new Launched({ data_directory: server.data_directory, keep: true });
  await second.start({ wait: false });
  assert.deepEqual(await second.gone, { code: 1, signal: null });
  assert.match(second.log, new RegExp(`Another launcher or upgrade command works with .*\\(process ${server.process.pid}\\)`));
  assert.equal((await server.get("/api/health")).status, 200);
});

test("a port that another program has is one sentence", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  t.after(() => other.close());
  const server = new Launched();
  t.after(() => server.close());
  server.port = other.address().port;
  await server.start({ wait: false });
  assert.deepEqual(await server.gone, { code: 1, signal: null });
  assert.match(server.log, /Port \d+ on 127\.0\.0\.1 is in use by another program/);
});

