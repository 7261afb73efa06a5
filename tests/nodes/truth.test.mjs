// What is taken away on one node is gone on the others within five seconds.
import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually } from "../runner/server.mjs";
import { cluster } from "./cluster.mjs";

// The promise, and what asking takes on a busy machine.
const promised = 5000, asking = 1500;

test("rights, sessions and settings of one node hold on the other within five seconds", async (t) => {
  const made = await cluster(t, { count: 2 });
  if (!made) return;
  const [here, there] = made.nodes;
  await here.start();
  await here.set_up();
  await there.start();
  there.session = here.session;

  const group = (await here.post("/api/permissions/group", { name: "Analysts" })).body;
  const folder = (await here.post("/api/collection", { name: "Numbers" })).body;
  const graph = (await here.get("/api/collection/graph")).body;
  graph.groups["1"] = { ...graph.groups["1"], [folder.id]: "none" };
  graph.groups[group.id] = { ...graph.groups[group.id], [folder.id]: "write" };
  assert.equal((await here.put("/api/collection/graph", graph)).status, 200);
  const person = await here.add_person({ groups: [group.id] });
  const as = { session: person.session };

  // Asked without a rest, so that whatever is remembered has no chance to be forgotten by chance.
  const gone = async (what, check, change) => {
    await eventually(() => check(false), { what: `${what} before` });
    await change();
    const began = performance.now();
    await eventually(() => check(true), { timeout: promised + asking, every: 20, what: `${what} on the other node` });
    t.diagnostic(`${what}: ${Math.round(performance.now() - began)} ms`);
  };
  const status = (path, options, before, after) => async (changed) => (await there.get(path, options)).status === (changed ? after : before);

  await gone("a right to a collection", status(`/api/collection/${folder.id}`, as, 200, 404), async () => {
    const now = (await here.get("/api/collection/graph")).body;
    now.groups[group.id][folder.id] = "none";
    assert.equal((await here.put("/api/collection/graph", now)).status, 200);
  });
  assert.equal((await here.put(`/api/user/${person.id}`, { is_superuser: true })).status, 200);
  await gone("being an administrator", status("/api/permissions/group", as, 200, 403), async () => {
    assert.equal((await here.put(`/api/user/${person.id}`, { is_superuser: false })).status, 200);
  });
  await gone("a setting", async (changed) => (await there.get("/api/session/properties")).body["site-name"] === (changed ? "Another name" : "Test shop"), async () => {
    assert.ok((await here.put("/api/setting/site-name", { value: "Another name" })).status < 300);
  });
  await gone("a session", status("/api/user/current", as, 200, 401), async () => {
    assert.equal((await here.delete("/api/session", as)).status, 204);
  });
  const again = { session: await here.sign_in(person.email, "Quarry-4-columns") };
  await gone("a person", status("/api/user/current", again, 200, 401), async () => {
    assert.equal((await here.delete(`/api/user/${person.id}`)).status, 200);
  });
});

test("a node that was restored under another starts anew by itself", async (t) => {
  const made = await cluster(t, { count: 2 });
  if (!made) return;
  const [here, there] = made.nodes;
  await here.start();
  await here.set_up();
  await there.start();
  const pid = there.process.pid;
  assert.equal((await there.get("/api/health")).status, 200);
  made.postgres.query("INSERT INTO basalt.upgrade_meta (row_uid, key, value) VALUES (gen_random_uuid()::text, 'generation', 'another') ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  // Until it notices it may read, but it writes nothing; then it serves again as the same process.
  assert.equal((await there.post("/api/dashboard", { name: "of another past" }, { session: here.session })).status, 503);
  await eventually(async () => (await there.post("/api/dashboard", { name: "of now" }, { session: here.session })).status === 200, { timeout: 20_000, every: 100, what: "the other node serving the restored data" });
  assert.equal(there.process.pid, pid);
  assert.equal(there.exited, undefined);
  assert.match(there.log, /Starting anew/);
});
