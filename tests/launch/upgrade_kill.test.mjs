// The power goes at each edge of `upgrade apply`: everything is killed, and a plain start serves the old or the new version
// with all data.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { randomUUID } from "node:crypto";
import { binary, clean_environment, eventually } from "../runner/server.mjs";
import { shim } from "../chaos/chaos.mjs";
import { Launched, processes_of } from "./launched.mjs";
import { Feed } from "./releases.mjs";

const full = process.env.BASALT_CHAOS === "full";
const plain = { BASALT_UPGRADE_OBSERVE: "1", BASALT_UPGRADE_POLICY: "off", MB_LOAD_SAMPLE_CONTENT: "false" };
let feed;

before(() => { feed = new Feed().publish("0.2.0"); });
after(() => feed.close());

// Starts `basalt upgrade apply 0.2.0`: {process, ended}. The feed is told to it alone: a server that looks for news writes
// into the same folder, and would count.
function apply(server, environment = {}) {
  const child = spawn(binary("basalt"), ["upgrade", "apply", "0.2.0", "--now", "--data-dir", server.data_directory], { env: clean_environment({ ...plain, ...feed.environment, ...environment }), stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  return { process: child, ended: new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, text }))) };
}

async function kill_all(server, ...others) {
  for (const child of others) child.kill("SIGKILL");
  for (let i = 0; i < 200; i++) {
    const left = processes_of(server.data_directory);
    if (left.length === 0) return;
    for (const pid of left) try { process.kill(pid, "SIGKILL"); } catch { /* just gone */ }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("somebody does not die");
}

async function set_up(t) {
  const server = new Launched({ environment: plain });
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  assert.equal((await server.post("/api/collection", { name: "Made before" })).status, 200);
  await server.stop();
  return server;
}

// A plain start afterwards: serves soon, with all data, and what was begun comes to an end.
async function recovers(server, t, what) {
  server.environment = plain;
  const began = Date.now();
  await server.start();
  const seconds = (Date.now() - began) / 1000;
  assert.ok((await server.get("/api/collection")).body.some((one) => one.name === "Made before"), "what was made before is there");
  const ended = await eventually(async () => {
    const self = (await server.get("/api/updates/self")).body;
    return (!self.run || self.run.ended_at) && self;
  }, { timeout: 60_000, what: "the end of what was begun" });
  assert.ok(["0.1.0", "0.2.0"].includes(ended.version));
  assert.ok((await server.get("/api/collection")).body.some((one) => one.name === "Made before"), "what was made before is still there");
  await eventually(() => processes_of(server.data_directory).length === 2, { what: "one launcher and one server" });
  t.diagnostic(`${what}: serves ${seconds.toFixed(1)} s later, ends with ${ended.version} (${ended.run?.phase ?? "no run"})`);
  return ended;
}

// The edges of a good run as the launcher writes them: numbers of the calls that put state.json in its place.
let edges_known;
async function edges(t) {
  edges_known ??= (async () => {
    const server = await set_up(t);
    const trace = join(tmpdir(), `basalt-trace-${randomUUID()}`);
    server.environment = { ...plain, LD_PRELOAD: shim, CHAOS_PATH: server.versions, CHAOS_TRACE: trace };
    await server.start();
    const first = readFileSync(trace, "utf8").trim().split("\n").filter(Boolean).length;
    const applied = await apply(server).ended;
    assert.equal(applied.code, 0, applied.text + server.log);
    const calls = readFileSync(trace, "utf8").trim().split("\n").map((line) => line.split(" ")).filter(([n]) => Number(n) > first);
    rmSync(trace);
    await server.stop();
    return calls.filter(([, call, path]) => call === "rename" && path.endsWith("/state.json")).map(([n]) => Number(n));
  })();
  return edges_known;
}

test("a power cut at each edge of a trial", { timeout: 1_800_000 }, async (t) => {
  const all = await edges(t);
  // staged, measured, starting, ready, judged, observing, good
  assert.ok(all.length >= 7, `${all.length} edges`);
  const points = all.flatMap((n) => [[n, "before"], [n, "after"]]);
  // Always: just before the new one is started, and when people's connections have gone over to it.
  const chosen = full ? points : [points[4], points[9]];
  for (const [n, when] of chosen)
    await t.test(`${when} edge ${all.indexOf(n) + 1} of ${all.length}`, async (t) => {
      const server = await set_up(t);
      server.environment = { ...plain, LD_PRELOAD: shim, CHAOS_PATH: server.versions, CHAOS_KILL: String(n), CHAOS_WHEN: when };
      await server.start();
      const applying = apply(server);
      await Promise.race([server.gone, applying.ended]);
      assert.ok(await eventually(() => server.exited, { timeout: 60_000, what: "the power cut" }));
      assert.equal(server.exited.signal, "SIGKILL");
      await kill_all(server, applying.process);
      const ended = await recovers(server, t, `${when} edge ${all.indexOf(n) + 1}`);
      // Nothing of it was bad: whatever was begun before the cut is gone through with.
      if (all.indexOf(n) > 0) assert.equal(ended.version, "0.2.0", JSON.stringify(ended.run));
    });
});

test("a power cut while a version is fetched and unpacked", { timeout: 900_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const probe = await set_up(t);
  const trace = join(tmpdir(), `basalt-trace-${randomUUID()}`);
  await probe.start();
  assert.equal((await apply(probe, { LD_PRELOAD: shim, CHAOS_PATH: probe.versions, CHAOS_TRACE: trace }).ended).code, 0);
  const calls = readFileSync(trace, "utf8").trim().split("\n").length;
  rmSync(trace);
  await probe.stop();
  for (let i = 1; i <= 10; i++) {
    const n = Math.max(1, Math.round((calls * i) / 10));
    await t.test(`at call ${n} of ${calls}`, async (t) => {
      const server = await set_up(t);
      await server.start();
      const applied = await apply(server, { LD_PRELOAD: shim, CHAOS_PATH: server.versions, CHAOS_KILL: String(n) }).ended;
      assert.equal(applied.signal, "SIGKILL");
      await kill_all(server);
      const ended = await recovers(server, t, `call ${n}`);
      assert.equal(ended.version, "0.1.0");
      const again = await apply(server).ended;
      assert.equal(again.code, 0, again.text);
      assert.equal((await server.get("/api/updates/self")).body.version, "0.2.0");
    });
  }
});
