// The commands around upgrades as people use them: what they print, their exit codes, and that looking changes nothing.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { eventually, run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

// Every file below a folder by its content.
function files(folder) {
  const out = {};
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, name);
    if (statSync(path).isFile()) out[name] = createHash("sha256").update(readFileSync(path)).digest("hex");
  }
  return out;
}

function place(t, engine = "sqlite") {
  const data_directory = scratch_directory();
  t.after(() => rmSync(data_directory, { recursive: true, force: true }));
  const environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
  if (engine === "postgres") {
    const postgres = test_postgres(t);
    if (!postgres) return undefined;
    environment.MB_DB_CONNECTION_URI = postgres.uri;
  }
  const command = (name, args, extra = {}) => run_command([...args, "--data-dir", data_directory], { name, environment: { ...environment, ...extra } });
  const server = (name, extra = {}) => {
    const made = new Server({ name, data_directory, environment: { ...environment, ...extra }, keep: true });
    t.after(() => made.close());
    return made;
  };
  return { data_directory, command, server };
}

for (const engine of ["sqlite", "postgres"]) {
  test(`${engine}: plan, status, doctor and fingerprint change not a byte`, (t) => {
    const at = place(t, engine);
    if (!at) return;
    assert.equal(at.command("basalt", ["migrate", "up"]).code, 0);
    const before = files(at.data_directory);
    const fingerprint = JSON.parse(at.command("basalt", ["migrate", "fingerprint", "--json"]).out).root;
    const plan = at.command("basalt-next", ["migrate", "plan"]);
    assert.equal(plan.code, 0, plan.err);
    assert.match(plan.out, /Upgrade of the data from schema 1 to 4/);
    assert.match(plan.out, /drift +none/);
    assert.match(plan.out, /To do it: basalt migrate up/);
    for (const line of plan.out.split("\n")) assert.ok([...line].length <= 110, line);
    const same = JSON.parse(at.command("basalt-next", ["upgrade", "plan", "--json"]).out);
    assert.equal(same.steps.length, 3);
    assert.ok(same.eta_p95_seconds >= same.eta_seconds);
    assert.equal(at.command("basalt-next", ["migrate", "plan", "--to", "9"]).code, 20);
    assert.equal(at.command("basalt", ["migrate", "plan"]).code, 10);
    assert.equal(at.command("basalt-next", ["migrate", "plan", "--to-version", "0.2.0"]).code, 0);
    assert.equal(at.command("basalt", ["upgrade", "status", "--json"]).code, 0);
    at.command("basalt", ["doctor"]);
    assert.equal(JSON.parse(at.command("basalt-next", ["migrate", "fingerprint", "--json"]).out).root, fingerprint);
    assert.deepEqual(files(at.data_directory), before);
  });
}

test("with automatic migration off the server stops with the plan, and nothing was changed", async (t) => {
  const at = place(t);
  at.command("basalt", ["migrate", "up"]);
  const root = () => JSON.parse(at.command("basalt", ["migrate", "fingerprint", "--json"]).out).root;
  const before = root();
  const server = await at.server("basalt-next", { MB_DB_AUTOMIGRATE: "false" }).start({ wait: false });
  const ended = await server.gone;
  assert.equal(ended.code, 20);
  assert.match(server.log, /automatic migration is off/);
  assert.match(server.log, /add column audience to card/);
  assert.match(server.log, /basalt migrate up/);
  assert.equal(root(), before);
});

test("a rehearsal tells the time from then on, and changes nothing of the data", (t) => {
  const at = place(t);
  at.command("basalt", ["migrate", "up"]);
  const before = at.command("basalt", ["migrate", "fingerprint"]).out;
  const rehearsed = at.command("basalt-next", ["migrate", "plan", "--rehearse"]);
  assert.equal(rehearsed.code, 0, rehearsed.err);
  assert.match(rehearsed.out, /rehearsed \d{4}-/);
  assert.equal(JSON.parse(at.command("basalt-next", ["migrate", "plan", "--json"]).out).eta_from, "rehearsal");
  assert.equal(at.command("basalt", ["migrate", "fingerprint"]).out, before);
});

test("finalize and release-locks have nothing to do, and say so", (t) => {
  const at = place(t);
  at.command("basalt", ["migrate", "up"]);
  for (const words of [["migrate", "finalize"], ["upgrade", "finalize"], ["migrate", "release-locks"]]) assert.equal(at.command("basalt", words).code, 10, words.join(" "));
});

test("unknown words suggest the nearest, with the exit code of a mistake", () => {
  for (const [words, meant] of [
    [["migrate", "stauts"], "status"],
    [["bakup"], "backup"],
    [["parked", "lst"], "list"],
    [["migrate", "plan", "--rehears"], "--rehearse"],
    [["help", "migrate", "finalise"], "finalize"],
  ]) {
    const { code, err } = run_command(words);
    assert.equal(code, 2, words.join(" "));
    assert.ok(err.includes(`did you mean "${meant}"?`), err);
  }
  for (const words of [[], ["migrate"], ["migrate", "plan"], ["backup", "create"], ["parked", "list"], ["doctor"], ["serve"]]) {
    const { code, out } = run_command([...words, "--help"]);
    assert.equal(code, 0, words.join(" "));
    assert.match(out, /Usage: basalt/);
  }
});

test("the release feed tells of a newer version, and is silent where nobody may look outside", async (t) => {
  const at = place(t);
  const feed = join(at.data_directory, "feed.json");
  writeFileSync(feed, JSON.stringify({ releases: [{ version: "9.9.0", released_at: "2027-01-01", class: "security", schema: 7, notes: "**Safer**" }] }));
  const server = await at.server("basalt", { BASALT_RELEASE_FEED: feed }).start();
  await server.set_up();
  const checked = await eventually(async () => {
    const { release } = (await server.get("/api/basalt/updates")).body;
    return release?.available && release;
  }, { what: "the release feed's first look" });
  assert.equal(checked.available.version, "9.9.0");
  assert.equal(checked.feed, "ok");
  await server.stop();
  const gapped = await at.server("basalt", { BASALT_RELEASE_FEED: "http://127.0.0.1:9/feed.json", BASALT_AIR_GAPPED: "true" }).start();
  gapped.session = await gapped.sign_in();
  assert.equal((await gapped.get("/api/basalt/updates")).body.release.feed, "off");
});
