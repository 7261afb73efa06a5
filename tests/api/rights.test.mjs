// Every right, asked at its place: each route as nobody, as a person without rights, with view, with curate, as administrator.
import assert from "node:assert/strict";
import { test } from "node:test";

import { started } from "../runner/server.mjs";

const open_routes = [
  /^POST \/api\/session$/, /^DELETE \/api\/session$/, /^(GET|POST) \/api\/session\//, /^POST \/api\/util\/password_check$/, /^(GET|POST) \/api\/setup/, /^GET \/api\/health$/, /^GET \/api\/docs/,
  /^(GET|POST) \/api\/public\//, /^(GET|POST) \/api\/embed\//, /^GET \/api\/geojson\//,
];

async function shop(t) {
  const server = await started(t);
  await server.set_up();
  const sample = await server.sample_database();
  const group = (await server.post("/api/permissions/group", { name: "Readers" })).body;
  const curators = (await server.post("/api/permissions/group", { name: "Curators" })).body;
  const collection = (await server.post("/api/collection", { name: "Guarded" })).body;
  // All Users lose everything; the groups get their rights back one by one.
  const graph = (await server.get("/api/collection/graph")).body;
  for (const [id, rights] of Object.entries(graph.groups)) {
    if (id === "2") continue;
    for (const key of Object.keys(rights)) rights[key] = "none";
    rights.root = "none";
    rights[collection.id] = id === String(group.id) ? "read" : id === String(curators.id) ? "write" : "none";
  }
  const changed = await server.put("/api/collection/graph", graph);
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  const data = (await server.get("/api/permissions/graph")).body;
  for (const [id, databases] of Object.entries(data.groups)) {
    if (id === "2") continue;
    databases[sample.id] = { "view-data": "unrestricted", "create-queries": "no" };
  }
  const data_changed = await server.put("/api/permissions/graph", data);
  assert.equal(data_changed.status, 200, JSON.stringify(data_changed.body));
  const card = (await server.post("/api/card", {
    name: "Orders", display: "scalar", visualization_settings: {}, collection_id: collection.id,
    dataset_query: { database: sample.id, type: "query", query: { "source-table": sample.table("ORDERS").id, aggregation: [["count"]] } },
  })).body;
  const dashboard = (await server.post("/api/dashboard", { name: "Board", collection_id: collection.id })).body;
  return {
    server, sample, collection, card, dashboard, group, curators,
    nobody: { session: null },
    stranger: await server.add_person(), viewer: await server.add_person({ groups: [group.id] }), curator: await server.add_person({ groups: [curators.id] }),
  };
}

test("every route that is not meant to be open refuses nobody", async (t) => {
  const { server } = await shop(t);
  const { paths } = (await server.get("/api/docs/openapi.json")).body;
  let walked = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      if (open_routes.some((open) => open.test(name))) continue;
      // The launcher's own: without its token there is no such thing.
      const hidden = name === "POST /api/updates/probe";
      const { status, body } = await server.request(method.toUpperCase(), path.replace(/\{[^}]+\}/g, "1"), method === "get" ? undefined : {}, { session: null });
      assert.equal(status, hidden ? 404 : 401, name);
      assert.equal(body, hidden ? "API endpoint does not exist." : "Unauthenticated", name);
      ++walked;
    }
  }
  assert.ok(walked > 100, `only ${walked} routes were walked`);
});

test("a signed-in person without rights gets nothing that matters from any route", async (t) => {
  const { server, stranger, sample } = await shop(t);
  const { paths } = (await server.get("/api/docs/openapi.json")).body;
  const secrets = [/Guarded/, /"Board"/, /ORDERS/, /PRODUCT_ID/];
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      if (/\/api\/(docs|session)/.test(path)) continue;
      const filled = path.replace("/database/{id}", `/database/${sample.id}`).replace("/table/{id}", `/table/${sample.table("ORDERS").id}`).replace(/\{[^}]+\}/g, "1");
      const { status, body } = await server.request(method.toUpperCase(), filled, method === "get" ? undefined : {}, { session: stranger.session });
      assert.ok(status < 500, `${name}: ${status} ${JSON.stringify(body)}`);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      for (const secret of secrets) assert.doesNotMatch(text, secret, name);
    }
  }
});

test("administration is for administrators", async (t) => {
  const { server, viewer, sample } = await shop(t);
  const admin_only = [
    ["GET", "/api/setting"], ["PUT", "/api/setting/site-name", { value: "x" }], ["GET", "/api/permissions/graph"], ["PUT", "/api/permissions/graph", { revision: 0, groups: {} }],
    ["GET", "/api/collection/graph"], ["POST", "/api/permissions/group", { name: "x" }], ["POST", "/api/user", { email: "x@example.com" }], ["DELETE", "/api/user/1"],
    ["POST", "/api/database", { name: "x", engine: "sqlite", details: {} }], ["PUT", `/api/database/${sample.id}`, { name: "x" }], ["DELETE", `/api/database/${sample.id}`],
    ["POST", `/api/database/${sample.id}/sync_schema`], ["GET", "/api/basalt/updates"], ["GET", "/api/basalt/updates/progress"], ["POST", "/api/basalt/updates/check"], ["POST", "/api/basalt/updates/finalise"],
    ["POST", "/api/basalt/backup"], ["POST", "/api/basalt/backup/verify", { id: "x" }], ["POST", "/api/basalt/backup/restore", { id: "x", confirm: "RESTORE" }], ["GET", "/api/basalt/backup/x/file"],
    ["POST", "/api/basalt/backup/file"], ["POST", "/api/basalt/replaced/delete", { name: "x" }], ["GET", "/api/basalt/parked"], ["GET", "/api/basalt/parked/1"], ["POST", "/api/basalt/parked/1/take"],
    ["POST", "/api/basalt/parked/1/untake"], ["GET", "/api/updates/self"], ["POST", "/api/updates/self/apply"], ["POST", "/api/updates/self/rollback"], ["POST", "/api/updates/self/hold"], ["POST", "/api/updates/self/unhold"], ["POST", "/api/updates/self/look"],
    ["GET", "/api/api-key"], ["POST", "/api/api-key", { name: "x", group_id: 1 }], ["GET", "/api/task"],
  ];
  for (const [method, path, body] of admin_only) {
    const { status } = await server.request(method, path, body ?? (method === "GET" ? undefined : {}), { session: viewer.session });
    assert.ok(status === 403 || status === 404, `${method} ${path}: ${status}`);
  }
});

test("collections: none sees nothing, view reads and runs, curate changes", async (t) => {
  const { server, stranger, viewer, curator, card, dashboard, collection } = await shop(t);
  const as = (person) => ({ session: person.session });
  for (const path of [`/api/card/${card.id}`, `/api/dashboard/${dashboard.id}`, `/api/collection/${collection.id}`, `/api/collection/${collection.id}/items`]) {
    const hidden = await server.get(path, as(stranger));
    const missing = await server.get(path.replace(/\d+/, "999999"), as(stranger));
    assert.deepEqual([hidden.status, hidden.body], [missing.status, missing.body], `${path}: a hidden thing must look like a missing one`);
    assert.equal(hidden.status, 404);
    assert.equal((await server.get(path, as(viewer))).status, 200, path);
    assert.equal((await server.get(path, as(curator))).status, 200, path);
  }
  assert.equal((await server.post(`/api/card/${card.id}/query`, {}, as(stranger))).status, 404);
  const run = await server.post(`/api/card/${card.id}/query`, {}, as(viewer));
  assert.equal(run.status, 202);
  assert.equal(run.body.status, "completed", "the right on the collection suffices to run what is saved there");

  assert.equal((await server.put(`/api/dashboard/${dashboard.id}`, { name: "x" }, as(viewer))).status, 403);
  assert.equal((await server.put(`/api/card/${card.id}`, { name: "x" }, as(viewer))).status, 403);
  assert.equal((await server.put(`/api/dashboard/${dashboard.id}`, { name: "x" }, as(stranger))).status, 404);
  assert.equal((await server.put(`/api/dashboard/${dashboard.id}`, { name: "Renamed" }, as(curator))).status, 200);
  assert.equal((await server.post("/api/dashboard", { name: "New", collection_id: collection.id }, as(viewer))).status, 403);
  assert.equal((await server.post("/api/dashboard", { name: "New", collection_id: collection.id }, as(curator))).status, 200);
  assert.equal((await server.post("/api/dashboard", { name: "New", collection_id: null }, as(curator))).status, 404, "no right on the root collection: as if it were not there");

  const found = (await server.get("/api/search?q=Orders", as(stranger))).body;
  assert.equal(found.data.length, 0);
  // A personal collection is its owner's.
  const me = (await server.get("/api/user/current", as(viewer))).body;
  assert.equal((await server.get(`/api/collection/${me.personal_collection_id}`, as(viewer))).status, 200);
  assert.equal((await server.get(`/api/collection/${me.personal_collection_id}`, as(curator))).status, 404);
});

test("data: none cannot ask, the builder cannot write SQL, SQL needs the whole database", async (t) => {
  const { server, viewer, curator, sample, card, collection, group } = await shop(t);
  const as = (person) => ({ session: person.session });
  const structured = { database: sample.id, type: "query", query: { "source-table": sample.table("ORDERS").id, aggregation: [["count"]] } };
  const joined = { database: sample.id, type: "query", query: { "source-table": sample.table("ORDERS").id, aggregation: [["count"]], breakout: [sample.ref("PRODUCTS", "CATEGORY", { "source-field": sample.field("ORDERS", "PRODUCT_ID").id })] } };
  const native = { database: sample.id, type: "native", native: { query: "select count(*) from ORDERS" } };
  const outcome = async (query, person) => {
    const { status, body } = await server.post("/api/dataset", query, as(person));
    return status === 202 ? body.status : status;
  };
  const refused = (result) => assert.ok(result === 403 || result === 404 || result === "failed", String(result));
  refused(await outcome(structured, viewer));
  refused(await outcome(native, viewer));
  const from_card = { database: sample.id, type: "query", query: { "source-table": `card__${card.id}` } };
  assert.equal(await outcome(from_card, viewer), "completed", "a saved question one may view is a source");

  // Filters aimed at a column of one's own choice would ask what the question does not show.
  const probe = (target) => server.post(`/api/card/${card.id}/query`, { parameters: [{ type: "id", target: ["dimension", target], value: [1] }] }, as(viewer));
  for (const target of [sample.ref("ORDERS", "USER_ID"), sample.ref("PEOPLE", "EMAIL", { "source-field": sample.field("ORDERS", "USER_ID").id })]) {
    const { status, body } = await probe(target);
    refused(status === 202 ? body.status : status);
  }

  const grant = async (rights) => {
    const graph = (await server.get("/api/permissions/graph")).body;
    graph.groups[group.id] ??= {};
    graph.groups[group.id][sample.id] = { "view-data": "unrestricted", "create-queries": rights };
    const { status, body } = await server.put("/api/permissions/graph", graph);
    assert.equal(status, 200, JSON.stringify(body));
  };
  await grant("query-builder");
  assert.equal(await outcome(structured, viewer), "completed");
  refused(await outcome(native, viewer));
  assert.equal((await server.post("/api/dataset/native", structured, as(viewer))).status, 403);
  await grant("query-builder-and-native");
  assert.equal(await outcome(native, viewer), "completed");
  // One table of the database only.
  const schema = sample.table("ORDERS").schema ?? "";
  await grant({ [schema]: { [sample.table("ORDERS").id]: "query-builder" } });
  assert.equal(await outcome(structured, viewer), "completed");
  refused(await outcome(joined, viewer));
  refused(await outcome(native, viewer));
  // Saving a question that one may not ask is refused too, whatever the right on the collection.
  const saved = await server.post("/api/card", { name: "Smuggled", display: "table", visualization_settings: {}, collection_id: collection.id, dataset_query: native }, as(curator));
  assert.ok(saved.status === 403 || saved.status === 404, String(saved.status));
});

test("API keys act as their group and die with their removal", async (t) => {
  const { server, group, card } = await shop(t);
  const made = await server.post("/api/api-key", { name: "Robot", group_id: group.id });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const headers = { "x-api-key": made.body.unmasked_key };
  assert.equal((await server.get(`/api/card/${card.id}`, { session: null, headers })).status, 200);
  assert.equal((await server.get("/api/setting", { session: null, headers })).status, 403);
  const listed = await server.get("/api/api-key");
  assert.ok(!JSON.stringify(listed.body).includes(made.body.unmasked_key.slice(8, 30)), "a key is shown once");
  assert.equal((await server.delete(`/api/api-key/${made.body.id}`)).status, 204);
  assert.equal((await server.get(`/api/card/${card.id}`, { session: null, headers })).status, 401);
});
