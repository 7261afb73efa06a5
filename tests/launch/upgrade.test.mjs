// `basalt upgrade apply`: a good version takes over without anybody noticing, a bad one is taken back by itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { binary, clean_environment, eventually, test_postgres } from "../runner/server.mjs";
import { Crowd, Launched } from "./launched.mjs";
import { Feed } from "./releases.mjs";

const full = process.env.BASALT_CHAOS === "full";

// The end of `basalt <words>` on the data of `server`: {code, out, err, seconds, answer}.
function command(server, words, environment = {}) {
  const began = Date.now();
  const child = spawn(binary("basalt"), [...words, "--data-dir", server.data_directory], { env: clean_environment({ ...server.environment, ...environment }), stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  return new Promise((resolve) => child.once("close", (code) => {
    let answer;
    try { answer = JSON.parse(out); } catch { /* text */ }
    resolve({ code, out, err, answer, seconds: (Date.now() - began) / 1000 });
  }));
}

async function installation(t, { kind = "good", from, name, environment = {}, observe = 3 } = {}) {
  const feed = new Feed();
  t.after(() => feed.close());
  feed.publish("0.2.0", kind, { from });
  const server = new Launched({ name, environment: { ...feed.environment, BASALT_UPGRADE_OBSERVE: String(observe), BASALT_UPGRADE_POLICY: "off", ...environment } });
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  // The dashboard and cards that come with the first start are what is compared.
  await eventually(async () => (await server.get("/api/search?models=card&limit=1")).body.total > 0 && (await server.get("/api/search?models=dashboard&limit=1")).body.total > 0, { timeout: 90_000, what: "content" });
  const made = await server.post("/api/collection", { name: "Made before" });
  assert.equal(made.status, 200);
  return { feed, server };
}

async function content_is_there(server) {
  const collections = (await server.get("/api/collection")).body;
  assert.ok(collections.some((one) => one.name === "Made before"), "what was made before is there");
  const cards = (await server.get("/api/search?models=card&limit=5")).body.data;
  const ran = await server.post(`/api/card/${cards[0].id}/query`, {});
  assert.equal(ran.body.status, "completed", JSON.stringify(ran.body.error));
}

const current = async (server) => (await server.get("/api/updates/self")).body;

test("a good release takes over while people work, and they go back again", { timeout: 300_000 }, async (t) => {
  const { server } = await installation(t);
  const checked = await command(server, ["upgrade", "check", "--json"]);
  assert.equal(checked.code, 0, checked.err + checked.out);
  assert.equal(checked.answer.newest.version, "0.2.0");
  const crowd = new Crowd(server);
  const applied = await command(server, ["upgrade", "apply", "0.2.0", "--json"]);
  assert.equal(applied.code, 0, applied.err + applied.out + server.log);
  assert.equal(applied.answer.run.phase, "good");
  await crowd.stop();
  assert.deepEqual(crowd.failed, []);
  t.diagnostic(`${crowd.answered} answers meanwhile, the slowest after ${crowd.slowest} ms; apply took ${applied.seconds} s`);
  let self = await current(server);
  assert.equal(self.version, "0.2.0");
  assert.equal(self.previous_version, "0.1.0");
  await content_is_there(server);
  assert.equal((await server.post("/api/collection", { name: "Made on the new version" })).status, 200);
  assert.equal((await command(server, ["upgrade", "apply", "0.2.0"])).code, 10);

  const back_crowd = new Crowd(server);
  const back = await command(server, ["upgrade", "rollback", "--json"]);
  assert.equal(back.code, 0, back.err + back.out + server.log);
  await back_crowd.stop();
  assert.deepEqual(back_crowd.failed, []);
  self = await current(server);
  assert.equal(self.version, "0.1.0");
  assert.deepEqual(self.denied.map((one) => one.version), ["0.2.0"]);
  await content_is_there(server);
  assert.ok((await server.get("/api/collection")).body.some((one) => one.name === "Made on the new version"), "what was made on the new version stays");
  // It was left on purpose: nobody gets it again without insisting.
  const again = await command(server, ["upgrade", "apply", "0.2.0"]);
  assert.equal(again.code, 20);
  assert.match(again.err, /failed here before.*--now/);
  assert.equal((await command(server, ["upgrade", "rollback"])).code, 0, "forward again: it is the version before");
});

// Which sentence says why, and how long people may have to wait for an answer.
const bad = [
  { kind: "fails a card", says: /Card \d+ fails with Basalt 0\.2\.0/, quick: true },
  { kind: "does not start", says: /ended with code 127: .*libmissing\.so/ },
  { kind: "cannot be run", says: /cannot be run on this host/, code: 20 },
  { kind: "is never ready", says: /started and did nothing more for 20 seconds/, slow: 100 },
  { kind: "hangs", says: /does not answer any more/, observe: 40, waits: 45_000 },
  { kind: "eats memory", says: /MB of memory/, observe: 40, waits: 20_000 },
  { kind: "dies", says: /signal 6/, observe: 40, waits: 20_000 },
];
for (const { kind, says, code = 30, quick, observe, waits = full ? 5_000 : 20_000, slow = full ? 60 : 135 } of bad)
  test(`a release that ${kind}: the old version serves within a minute`, { skip: !quick && !full && "only with BASALT_CHAOS=full", timeout: 300_000 }, async (t) => {
    const { server } = await installation(t, { kind, observe });
    const before = (await server.status()).serving;
    const crowd = new Crowd(server);
    const applied = await command(server, ["upgrade", "apply", "0.2.0", "--json"]);
    assert.equal(applied.code, code, applied.err + applied.out + server.log);
    assert.match(applied.answer.sentence, says);
    assert.ok(applied.seconds <= slow + 15, `it took ${applied.seconds} s`);
    const self = await current(server);
    assert.equal(self.version, "0.1.0");
    if (code === 30) assert.deepEqual(self.denied.map((one) => one.version), ["0.2.0"]);
    await content_is_there(server);
    await crowd.stop();
    t.diagnostic(`${applied.seconds} s; ${crowd.answered} answers meanwhile, the slowest after ${crowd.slowest} ms, ${crowd.failed.length} failed`);
    assert.ok(crowd.slowest <= waits, `somebody waited ${crowd.slowest} ms`);
    // What a process that is killed was just answering is lost; nobody is ever refused.
    if (["fails a card", "does not start", "cannot be run", "is never ready"].includes(kind)) {
      assert.deepEqual(crowd.failed, []);
      assert.equal((await server.status()).serving, before, "the process that served goes on");
    } else {
      assert.ok(!crowd.failed.includes("ECONNREFUSED"));
      // One that ends by itself leaves nobody; its successor says for a moment that it starts.
      const lost = kind === "dies" ? crowd.failed.filter((one) => !one.startsWith("503")) : crowd.failed;
      assert.ok(lost.length <= 16, lost.join(" "));
    }
  });

test("a bundle brings a release to a host without a network; a hold stops who does not insist", { timeout: 300_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const { feed, server } = await installation(t, { environment: { BASALT_AIR_GAPPED: "true" } });
  const bundle = feed.bundle("0.2.0");
  const alone = { BASALT_RELEASE_FEED: "" };
  assert.equal((await command(server, ["upgrade", "hold", "--until", "2099-01-01", "--why", "the fair"], alone)).code, 0);
  const held = await command(server, ["upgrade", "apply", "--bundle", bundle], alone);
  assert.equal(held.code, 20);
  assert.match(held.err, /on hold until 2099-01-01 .*the fair/);
  assert.equal((await command(server, ["upgrade", "hold", "--off"], alone)).code, 0);
  assert.equal((await command(server, ["upgrade", "hold", "--off"], alone)).code, 10);
  const applied = await command(server, ["upgrade", "apply", "--bundle", bundle, "--json"], alone);
  assert.equal(applied.code, 0, applied.err + applied.out);
  assert.equal((await current(server)).version, "0.2.0");
  const status = await command(server, ["upgrade", "status", "--json"], alone);
  assert.equal(status.answer.versions.current, "0.2.0");
  assert.equal(status.answer.schema, 4);
});

test("over the API: looked for, fetched, tried; only by administrators", { timeout: 300_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const { server } = await installation(t);
  const person = await server.add_person();
  for (const path of ["apply", "rollback", "hold", "unhold", "look"]) assert.equal((await server.post(`/api/updates/self/${path}`, {}, { session: person.session })).status, 403);
  assert.equal((await server.get("/api/updates/self", { session: person.session })).status, 403);
  assert.equal((await server.post("/api/updates/probe", {}, { headers: { "x-basalt-probe": "guess" } })).status, 404);
  assert.equal((await server.post("/api/updates/self/apply", { version: "0.2.0" })).status, 202);
  const self = await eventually(async () => { const now = await current(server); return now.run?.ended_at && now; }, { timeout: 120_000 });
  assert.equal(self.run.phase, "good", JSON.stringify(self));
  assert.equal(self.version, "0.2.0");
  assert.equal(self.run.by, "Ada Basalt");
  assert.equal(self.available, null, "what serves is no news");
  assert.equal((await server.post("/api/updates/self/apply", { version: "0.2.0" })).status, 202);
  const nothing = await eventually(async () => { const now = await current(server); return now.agent.error && now; }, { timeout: 60_000 });
  assert.match(nothing.agent.error, /not newer|serves already/);
});

test("by itself, as the policy says", { timeout: 300_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const { server } = await installation(t, { environment: { BASALT_UPGRADE_POLICY: "minor" } });
  // Its turn has not come: the release is of this minute.
  await server.post("/api/updates/self/look", {});
  const waiting = await eventually(async () => { const now = await current(server); return now.due && now; });
  assert.equal(waiting.due.decision, "wait", JSON.stringify(waiting.due));
  assert.equal(waiting.version, "0.1.0");
  assert.equal(waiting.policy, "minor");
  const told = await command(server, ["upgrade", "apply"]);
  assert.equal(told.code, 10);
  assert.match(told.out, /--now/);
});

test("without a launcher a version is staged, and the next launcher tries it", { timeout: 300_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const { server } = await installation(t);
  await server.stop();
  const applied = await command(server, ["upgrade", "apply", "0.2.0"]);
  assert.equal(applied.code, 0, applied.err);
  assert.match(applied.out, /the next one that starts tries it/);
  await server.start();
  await eventually(async () => (await current(server)).run?.phase === "good", { timeout: 120_000 });
  assert.equal((await current(server)).version, "0.2.0");
  await content_is_there(server);
});

test("going back after it was finalised steps the data down first", { timeout: 300_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const { server } = await installation(t);
  assert.equal((await command(server, ["upgrade", "apply", "0.2.0"])).code, 0);
  assert.equal((await server.post("/api/collection", { name: "Made on the new version" })).status, 200);
  // The older node is gone in an orderly way, so nothing hinders it.
  const finalised = await command(server, ["upgrade", "finalize"]);
  assert.equal(finalised.code, 0, finalised.err + finalised.out);
  const back = await command(server, ["upgrade", "rollback", "--json"]);
  assert.equal(back.code, 0, back.err + back.out + server.log);
  assert.equal((await current(server)).version, "0.1.0");
  await content_is_there(server);
  assert.ok((await server.get("/api/collection")).body.some((one) => one.name === "Made on the new version"));
  assert.equal((await command(server, ["migrate", "status", "--json"])).answer.schema, 1);
});

test("on PostgreSQL as well", { timeout: 300_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  const database = test_postgres(t);
  if (!database) return;
  const { server } = await installation(t, { environment: { MB_DB_CONNECTION_URI: database.uri } });
  const crowd = new Crowd(server);
  const applied = await command(server, ["upgrade", "apply", "0.2.0", "--json"]);
  assert.equal(applied.code, 0, applied.err + applied.out + server.log);
  assert.equal((await current(server)).version, "0.2.0");
  const back = await command(server, ["upgrade", "rollback"]);
  assert.equal(back.code, 0, back.err + back.out);
  await crowd.stop();
  assert.deepEqual(crowd.failed, []);
  t.diagnostic(`${crowd.answered} answers meanwhile, the slowest after ${crowd.slowest} ms`);
  assert.equal((await current(server)).version, "0.1.0");
  await content_is_there(server);
});

// The tests above prove something only if a launcher that finds everything good does not pass them.
test("other rows are noticed, and a launcher that finds everything good is caught", { timeout: 600_000, skip: !full && "only with BASALT_CHAOS=full" }, async (t) => {
  for (const name of ["basalt-easy-judge", "basalt-next-wrong-card"]) assert.ok(existsSync(binary(name)), `${name} is not built (target chaos-controls)`);
  const outcome = async (name, options) => {
    const { server } = await installation(t, { name, observe: 10, ...options });
    const applied = await command(server, ["upgrade", "apply", "0.2.0", "--json"]);
    const { version } = await current(server);
    await server.stop();
    return { sentence: applied.answer?.sentence, code: applied.code, version };
  };
  const honest = await outcome("basalt", { from: "basalt-next-wrong-card" });
  assert.equal(honest.code, 30, honest.sentence);
  assert.match(honest.sentence, /Card \d+ gives other rows with Basalt 0\.2\.0 than before/);
  assert.equal(honest.version, "0.1.0");
  for (const bad of [{ from: "basalt-next-wrong-card" }, { kind: "fails a card" }, { kind: "eats memory" }]) {
    const easy = await outcome("basalt-easy-judge", bad);
    assert.equal(easy.code, 0, easy.sentence);
    assert.equal(easy.version, "0.2.0", "the bad one serves: the tests of bad releases would fail");
  }
});
