// `basalt fleet` with real servers: one gets a good release, the other a bad one that it takes back.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { binary, clean_environment, eventually, scratch_directory } from "../runner/server.mjs";
import { Launched } from "./launched.mjs";
import { Feed } from "./releases.mjs";

async function member(t, kind) {
  const feed = new Feed();
  t.after(() => feed.close());
  feed.publish("0.2.0", kind);
  const server = new Launched({ environment: { ...feed.environment, BASALT_UPGRADE_OBSERVE: "2", BASALT_UPGRADE_POLICY: "notify" } });
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  await eventually(async () => (await server.get("/api/search?models=card&limit=1")).body.total > 0, { timeout: 90_000, what: "content" });
  const key = (await server.post("/api/api-key", { name: "fleet", group_id: 2 })).body.unmasked_key;
  assert.equal((await server.post("/api/updates/self/look")).status, 202);
  return { feed, server, key };
}

function fleet(words, environment) {
  const child = spawn(binary("basalt"), ["fleet", ...words], { env: clean_environment(environment) });
  let out = "", err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

test("a fleet: the good release stays, the bad one is taken back and told", { timeout: 300_000 }, async (t) => {
  const folder = scratch_directory();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [good, bad] = await Promise.all([member(t, "good"), member(t, "does not start")]);
  const file = join(folder, "fleet.yaml");
  writeFileSync(join(folder, "good.key"), `${good.key}\n`);
  writeFileSync(file, `instances:\n  - { name: good, url: "${good.server.url}", api_key_file: good.key, wave: 1 }\n  - { name: bad, url: "${bad.server.url}", api_key_env: BAD_KEY, wave: 2 }\n`);
  const environment = { BAD_KEY: bad.key };
  const run = (...words) => fleet([...words, "--file", file], environment);

  const status = await eventually(async () => {
    const told = await run("status");
    return /good +0\.1\.0 +notify +0\.2\.0 is there/.test(told.out) && /bad +0\.1\.0 +notify +0\.2\.0 is there/.test(told.out) && told;
  }, { what: "both know of the release" });
  assert.equal(status.code, 0);
  assert.doesNotMatch(status.out + status.err, new RegExp(`${good.key}|${bad.key}`));

  const first = await run("apply", "--wave", "1", "--every", "200");
  assert.equal(first.code, 0, first.err + first.out + good.server.log);
  assert.match(first.out, /^Done: 1 upgraded/);
  assert.equal((await good.server.get("/api/updates/self")).body.version, "0.2.0");

  const all = await run("apply", "--all", "--every", "200");
  assert.equal(all.code, 40, all.err + all.out + bad.server.log);
  assert.match(all.out, /0 upgraded, 1 had it already, 1 rolled back/);
  assert.match(all.err, /bad rolled back: \S+/);
  const self = (await bad.server.get("/api/updates/self")).body;
  assert.equal(self.version, "0.1.0");
  assert.deepEqual(self.denied.map((one) => one.version), ["0.2.0"]);

  const again = await run("apply", "--all", "--every", "200");
  assert.equal(again.code, 40);
  assert.match(again.err, /bad rolled 0\.2\.0 back before: /);

  await good.server.post("/api/updates/self/hold", { why: "Quarter end." });
  assert.match((await run("status")).out, /good +0\.2\.0 +notify +held: Quarter end\./);
});

test("a server without a launcher says how it is upgraded instead", { timeout: 120_000 }, async (t) => {
  const { Server } = await import("../runner/server.mjs");
  const folder = scratch_directory();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = new Server({ environment: { MB_LOAD_SAMPLE_CONTENT: "false" } });
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  const key = (await server.post("/api/api-key", { name: "fleet", group_id: 2 })).body.unmasked_key;
  const user_key = (await server.post("/api/api-key", { name: "everybody", group_id: 1 })).body.unmasked_key;
  const file = join(folder, "fleet.yaml");
  writeFileSync(file, `instances:\n  - { name: alone, url: "${server.url}", api_key_env: KEY }\n`);
  const applied = await fleet(["apply", "--all", "--version", "0.2.0", "--file", file], { KEY: key });
  assert.equal(applied.code, 40, applied.err);
  assert.match(applied.err, /alone does not take it: \S+/);
  const stranger = await fleet(["status", "--file", file], { KEY: user_key });
  assert.equal(stranger.code, 40);
  assert.match(stranger.out, /does not take the API key; that must belong to a group of administrators/);
});
