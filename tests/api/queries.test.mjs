// Asking through the API: structured and SQL, on each engine, streamed, capped, cancelled.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { request as http_request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { eventually, scratch_directory, started, test_mysql, test_postgres } from "../runner/server.mjs";

const shop_sql = `
create table customer (id integer primary key, name text not null, city text, joined date);
create table sale (id integer primary key, customer_id integer references customer (id), amount numeric(10,2), quantity integer, made_at timestamp, paid boolean);
insert into customer values (1, 'Ada', 'Oslo', '2024-01-05'), (2, 'Ben', 'Oslo', '2024-02-01'), (3, 'Chi', null, null);
insert into sale values (1, 1, 10.50, 1, '2024-12-31 23:30:00', true), (2, 1, 20.00, 2, '2025-01-01 00:00:00', true), (3, 2, 5.25, null, '2025-01-15 12:00:00', false),
  (4, 3, 100.00, 10, '2025-02-28 08:00:00', null), (5, null, 1.00, 1, null, true);
`;

const engines = {
  postgres(t) {
    const postgres = test_postgres(t);
    if (!postgres) return undefined;
    postgres.query(shop_sql);
    return { engine: "postgres", details: postgres.details, postgres };
  },
  mysql(t) {
    const mysql = test_mysql(t);
    if (!mysql) return undefined;
    mysql.query(shop_sql.replaceAll("timestamp", "datetime"));
    return { engine: "mysql", details: mysql.details, mysql };
  },
  sqlite() {
    const file = join(scratch_directory(), "shop.sqlite");
    const made = spawnSync("python3", ["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.commit()", file], { input: shop_sql, encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
    return { engine: "sqlite", details: { db: file } };
  },
  files() {
    const directory = join(scratch_directory(), "shop");
    mkdirSync(directory);
    writeFileSync(join(directory, "customer.csv"), "id,name,city,joined\n1,Ada,Oslo,2024-01-05\n2,Ben,Oslo,2024-02-01\n3,Chi,,\n");
    writeFileSync(join(directory, "sale.csv"), "id,customer_id,amount,quantity,made_at,paid\n1,1,10.50,1,2024-12-31 23:30:00,true\n2,1,20.00,2,2025-01-01 00:00:00,true\n3,2,5.25,,2025-01-15 12:00:00,false\n4,3,100.00,10,2025-02-28 08:00:00,\n5,,1.00,1,,true\n");
    return { engine: "duckdb", details: { database_file: directory } };
  },
};

async function connected(t, kind) {
  const place = engines[kind](t);
  if (!place) return undefined;
  const server = await started(t, { environment: { MB_LOAD_SAMPLE_CONTENT: "false" } });
  await server.set_up();
  const made = await server.post("/api/database", { name: "shop", engine: place.engine, details: place.details });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  await server.synced(made.body.id);
  const { body: metadata } = await server.get(`/api/database/${made.body.id}/metadata`);
  const table = (name) => metadata.tables.find((candidate) => candidate.name === name);
  const field = (table_name, name, options = null) => ["field", table(table_name).fields.find((candidate) => candidate.name === name).id, options];
  const ask = (query) => server.dataset({ database: made.body.id, type: "query", query });
  const rows = async (query) => {
    const result = await ask(query);
    assert.equal(result.status, "completed", JSON.stringify(result).slice(0, 600));
    return result.data.rows;
  };
  return { server, id: made.body.id, table, field, ask, rows, place };
}

for (const kind of Object.keys(engines)) {
  test(`${kind}: filters, groups, buckets and joins over keys answer right`, async (t) => {
    const shop = await connected(t, kind);
    if (!shop) return;
    const { rows, table, field } = shop;
    const sale = table("sale").id;
    const total = (query) => rows({ "source-table": sale, ...query });

    assert.deepEqual(await total({ aggregation: [["count"]] }), [[5]]);
    assert.deepEqual(await total({ aggregation: [["count"]], filter: ["=", field("sale", "customer_id"), 1, 2] }), [[3]]);
    assert.deepEqual(await total({ aggregation: [["count"]], filter: ["!=", field("sale", "customer_id"), 1] }), [[3]], "!= keeps rows without a value");
    assert.deepEqual(await total({ aggregation: [["count"]], filter: ["is-null", field("sale", "made_at")] }), [[1]]);
    assert.deepEqual(await total({ aggregation: [["count"]], filter: ["between", field("sale", "amount"), 5, 20] }), [[3]]);
    assert.deepEqual(await total({ aggregation: [["distinct", field("sale", "customer_id")], ["sum", field("sale", "quantity")], ["min", field("sale", "amount")], ["max", field("sale", "amount")]] }), [[3, 14, 1, 100]]);
    const [[average]] = await total({ aggregation: [["avg", field("sale", "quantity")]] });
    assert.equal(Number(average), 3.5);

    const months = await total({ aggregation: [["count"]], breakout: [field("sale", "made_at", { "temporal-unit": "month" })], filter: ["not-null", field("sale", "made_at")] });
    assert.deepEqual(months.map(([month, count]) => [month.slice(0, 10), count]), [["2024-12-01", 1], ["2025-01-01", 2], ["2025-02-01", 1]]);
    const years = await total({ aggregation: [["count"]], breakout: [field("sale", "made_at", { "temporal-unit": "year" })], filter: ["=", field("sale", "made_at", { "temporal-unit": "year" }), "2025-06-01"] });
    assert.deepEqual(years.map(([year, count]) => [year.slice(0, 4), count]), [["2025", 3]]);
    const days = await total({ aggregation: [["count"]], filter: ["between", field("sale", "made_at"), "2025-01-01", "2025-01-15"] });
    assert.deepEqual(days, [[2]], "both days count whole");
    const bins = await total({ aggregation: [["count"]], breakout: [field("sale", "amount", { binning: { strategy: "bin-width", "bin-width": 50 } })] });
    assert.deepEqual(bins.map(([low, count]) => [Number(low), count]), [[0, 4], [100, 1]]);

    if (kind !== "files") {
      const by_city = await total({ aggregation: [["count"]], breakout: [field("customer", "city", { "source-field": field("sale", "customer_id")[1] })], filter: ["not-null", field("customer", "city", { "source-field": field("sale", "customer_id")[1] })] });
      assert.deepEqual(by_city, [["Oslo", 3]]);
    }
    const names = await rows({ "source-table": table("customer").id, fields: [field("customer", "name")], filter: ["contains", field("customer", "name"), "A", { "case-sensitive": false }], "order-by": [["desc", field("customer", "name")]], limit: 1 });
    assert.deepEqual(names, [["Ada"]]);
    const relative = await total({ aggregation: [["count"]], filter: ["time-interval", field("sale", "made_at"), -30, "day"] });
    assert.deepEqual(relative, [[0]]);
    const nested = await rows({ "source-query": { "source-table": sale, aggregation: [["sum", field("sale", "amount")]], breakout: [field("sale", "customer_id")] }, filter: [">", ["field", "sum", { "base-type": "type/Float" }], 6], aggregation: [["count"]] });
    assert.deepEqual(nested, [[2]]);
  });

  test(`${kind}: SQL with variables and optional parts`, async (t) => {
    const shop = await connected(t, kind);
    if (!shop) return;
    const { server, id, field } = shop;
    const native = {
      query: "select count(*) as n from sale where 1 = 1 [[and amount > {{least}}]] [[and id in (select s.id from sale s join customer c on c.id = s.customer_id where c.name = {{who}})]] [[and {{when}}]]",
      "template-tags": {
        least: { id: "a", name: "least", "display-name": "Least", type: "number" },
        who: { id: "b", name: "who", "display-name": "Who", type: "text" },
        when: { id: "c", name: "when", "display-name": "When", type: "dimension", dimension: field("sale", "made_at"), "widget-type": "date/all-options" },
      },
    };
    const run = async (parameters) => {
      const result = await server.dataset({ database: id, type: "native", native, parameters });
      assert.equal(result.status, "completed", JSON.stringify(result).slice(0, 600));
      return Number(result.data.rows[0][0]);
    };
    const variable = (name, type, value) => ({ type, target: ["variable", ["template-tag", name]], value });
    assert.equal(await run([]), 5);
    assert.equal(await run([variable("least", "number/=", [10])]), 3);
    assert.equal(await run([variable("who", "string/=", ["Ada"])]), 2);
    assert.equal(await run([variable("who", "string/=", ["x' or '1'='1"])]), 0, "a value is a value, whatever it says");
    if (kind !== "files") assert.equal(await run([{ type: "date/range", target: ["dimension", ["template-tag", "when"]], value: "2025-01-01~2025-01-31" }]), 2);
  });

  test(`${kind}: errors are the database's own, and CSV and JSON come whole`, async (t) => {
    const shop = await connected(t, kind);
    if (!shop) return;
    const { server, id, table } = shop;
    const failed = await server.post("/api/dataset", { database: id, type: "native", native: { query: "select nonsense from sale" } });
    assert.equal(failed.status, 202);
    assert.equal(failed.body.status, "failed");
    assert.match(failed.body.error, /nonsense/);
    const unknown = await server.dataset({ database: id, type: "query", query: { "source-table": table("sale").id, filter: ["no-such-clause", 1] } });
    assert.notEqual(unknown.status, "completed");
    assert.match(JSON.stringify(unknown), /no-such-clause/);

    const query = { database: id, type: "query", query: { "source-table": table("customer").id, "order-by": [["asc", shop.field("customer", "id")]] } };
    const csv = await server.post("/api/dataset/csv", { query });
    assert.equal(csv.status, 200);
    assert.match(csv.headers.get("content-type"), /text\/csv/);
    assert.match(csv.headers.get("content-disposition"), /attachment; filename="query_result_.*\.csv"/);
    assert.match(csv.body.replace(/\r/g, ""), /^ID,Name,City,Joined\n1,Ada,Oslo,2024-01-05.*\n2,Ben,Oslo,.*\n3,Chi,,\n$/);
    const json = await server.post("/api/dataset/json", { query });
    assert.deepEqual(json.body.map((row) => row.Name), ["Ada", "Ben", "Chi"]);
    const cannot_write = await server.dataset({ database: id, type: "native", native: { query: "create table intruder (a int)" } });
    assert.equal(cannot_write.status, "failed");
  });
}

test("rows beyond the cap are cut and said to be", async (t) => {
  const shop = await connected(t, "postgres");
  if (!shop) return;
  const { server, id, place } = shop;
  place.postgres.query("create table many as select g as id, 'row ' || g as name from generate_series(1, 5000) g");
  await server.post(`/api/database/${id}/sync_schema`);
  const many = await eventually(async () => (await server.get(`/api/database/${id}/metadata`)).body.tables.find((table) => table.name === "many"), { what: "the new table" });
  const result = await server.dataset({ database: id, type: "query", query: { "source-table": many.id } });
  assert.equal(result.row_count, 2000);
  assert.equal(result.data.rows_truncated, 2000);
  const csv = await server.post("/api/dataset/csv", { query: { database: id, type: "query", query: { "source-table": many.id } } });
  assert.equal(csv.body.trim().split("\n").length, 5001);
});

test("a client that goes away takes its query with it", async (t) => {
  const shop = await connected(t, "postgres");
  if (!shop) return;
  const { server, id, place } = shop;
  const running = () => Number(place.postgres.query("select count(*) from pg_stat_activity where query like 'select pg_sleep(30)%' and state = 'active'"));
  const body = JSON.stringify({ database: id, type: "native", native: { query: "select pg_sleep(30) as slept" } });
  const request = http_request(`${server.url}/api/dataset`, { method: "POST", headers: { "content-type": "application/json", "x-metabase-session": server.session } });
  request.on("error", () => {});
  request.end(body);
  await eventually(() => running() === 1, { what: "the running query" });
  request.destroy();
  await eventually(() => running() === 0, { timeout: 2_000, every: 20, what: "the end of the query" });
});

test("a client that goes away takes its query with it on MariaDB as well", async (t) => {
  const shop = await connected(t, "mysql");
  if (!shop) return;
  const { server, id, place } = shop;
  const running = () => Number(place.mysql.query(`select count(*) from information_schema.processlist where db = '${place.details.dbname}' and info like 'select sleep(30)%'`));
  const body = JSON.stringify({ database: id, type: "native", native: { query: "select sleep(30) as slept" } });
  const request = http_request(`${server.url}/api/dataset`, { method: "POST", headers: { "content-type": "application/json", "x-metabase-session": server.session } });
  request.on("error", () => {});
  request.end(body);
  await eventually(() => running() === 1, { what: "the running query" });
  request.destroy();
  // The socket closes only when the event loop turns; the next call blocks it.
  await new Promise(setImmediate);
  await eventually(() => running() === 0, { timeout: 10_000, every: 20, what: "the end of the query" });
});

test("MariaDB: what the engine cannot do is refused by name, and instants stand in the report time zone", async (t) => {
  const shop = await connected(t, "mysql");
  if (!shop) return;
  const { server, id, table, field, place } = shop;
  const median = await server.dataset({ database: id, type: "query", query: { "source-table": table("sale").id, aggregation: [["median", field("sale", "amount")]] } });
  assert.equal(median.status, "failed");
  assert.match(median.error, /MySQL cannot compute medians/);
  place.mysql.query("create table moment (id int primary key, at timestamp null); set time_zone = '+00:00'; insert into moment values (1, '2024-06-30 22:30:00'), (2, '2024-07-01 21:00:00'), (3, '2024-07-01 22:30:00')");
  await server.post(`/api/database/${id}/sync_schema`);
  const moment = await eventually(async () => (await server.get(`/api/database/${id}/metadata`)).body.tables.find((candidate) => candidate.name === "moment" && candidate.fields.length === 2), { what: "the new table" });
  const at = moment.fields.find((candidate) => candidate.name === "at");
  assert.equal(at.base_type, "type/DateTimeWithLocalTZ");
  await server.put("/api/setting/report-timezone", { value: "Europe/Berlin" });
  const days = await server.dataset({ database: id, type: "query", query: { "source-table": moment.id, aggregation: [["count"]], breakout: [["field", at.id, { "temporal-unit": "day" }]] } });
  assert.deepEqual(days.data.rows, [["2024-07-01T00:00:00+02:00", 2], ["2024-07-02T00:00:00+02:00", 1]]);
  const rows = await server.dataset({ database: id, type: "query", query: { "source-table": moment.id, filter: ["=", ["field", at.id, null], "2024-07-01"], "order-by": [["asc", ["field", moment.fields.find((one) => one.name === "id").id, null]]] } });
  assert.deepEqual(rows.data.rows, [[1, "2024-07-01T00:30:00+02:00"], [2, "2024-07-01T23:00:00+02:00"]]);
});

test("a database that vanishes in the middle is one sentence, and comes back by itself", async (t) => {
  const shop = await connected(t, "postgres");
  if (!shop) return;
  const { server, id, place } = shop;
  const asked = server.dataset({ database: id, type: "native", native: { query: "select pg_sleep(20) as slept" } });
  await eventually(() => place.postgres.query("select count(*) from pg_stat_activity where query like 'select pg_sleep(20)%' and state = 'active'") === "1", { what: "the running query" });
  place.postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep(20)%' and pid <> pg_backend_pid()");
  const result = await asked;
  assert.equal(result.status, "failed");
  assert.ok(result.error.length > 10);
  assert.equal((await server.dataset({ database: id, type: "native", native: { query: "select 1 as one" } })).status, "completed");
});

test("wrong connection details are blamed at their field, and secrets never come back", async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  const server = await started(t, { environment: { MB_LOAD_SAMPLE_CONTENT: "false" } });
  await server.set_up();
  const wrong = await server.post("/api/database", { name: "x", engine: "postgres", details: { ...postgres.details, port: 1, password: "hunter22" } });
  assert.equal(wrong.status, 400);
  assert.doesNotMatch(JSON.stringify(wrong.body), /hunter22/);
  assert.ok(wrong.body.message.length > 10);
  const made = await server.post("/api/database", { name: "x", engine: "postgres", details: { ...postgres.details, password: "hunter22" } });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.equal(made.body.details.password, "**MetabasePass**");
  for (const path of ["/api/database", `/api/database/${made.body.id}`, "/api/table"]) assert.doesNotMatch(JSON.stringify((await server.get(path)).body), /hunter22/, path);
  assert.doesNotMatch(server.log, /hunter22/);
  const kept = await server.put(`/api/database/${made.body.id}`, { name: "renamed", details: made.body.details });
  assert.equal(kept.status, 200, JSON.stringify(kept.body));
  assert.equal((await server.post("/api/database", { name: "y", engine: "sqlite", details: { db: "/nowhere/at/all.sqlite" } })).status, 400);
  assert.equal((await server.post("/api/database", { name: "y", engine: "no-such-engine", details: {} })).status, 400);
});
