// A Metabase in the configured database: named with its version and the way, and not a byte of it changed. The tables are made by
// hand, as far as they are read.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

// What a release of that number leaves behind.
function tables(release, { patch, locked = false, encrypted } = {}) {
  const ids = [];
  for (let id = 1; id <= 381 && (release >= 42 || id <= 4 * (release - 30)); id += 20) ids.push([String(id), release < 42 ? `Added 0.${Math.min(release, 30 + Math.floor(id / 4) + 1)}.0` : ""]);
  if (release < 42) ids.push(["303", `Added 0.${release}.0 - something`]);
  for (let one = 42; one <= release; ++one) ids.push([one < 49 ? `v${one}.00-001` : `v${one}.2024-01-22T11:50:0${one % 10}`, ""]);
  const columns = { report_card: ["id int", "name text"], metabase_field: ["id int"], core_user: ["id int", "email text"] };
  columns.metabase_field.push(release >= 39 ? "semantic_type text" : "special_type text");
  if (release >= 40 && release < 50) columns.report_card.push("dataset boolean");
  if (release >= 48) columns.report_card.push("metabase_version varchar(100)");
  if (release >= 49) { columns.report_card.push("type varchar(16)"); columns.core_user.push("type varchar(64) DEFAULT 'personal'"); }
  const quote = (text) => `'${text.replaceAll("'", "''")}'`;
  return `
    CREATE TABLE databasechangelog (id varchar(255), author varchar(255), filename varchar(255), dateexecuted timestamp DEFAULT now(), orderexecuted int, exectype varchar(10), md5sum varchar(35), description varchar(255), comments varchar(255), tag varchar(255), deployment_id varchar(10));
    CREATE TABLE databasechangeloglock (id int, locked boolean, lockgranted timestamp, lockedby varchar(255));
    INSERT INTO databasechangeloglock VALUES (1, ${locked}, NULL, ${locked ? "'web-1 (10.0.0.3)'" : "NULL"});
    CREATE TABLE setting (key varchar(254), value text);
    ${encrypted === undefined ? "" : `INSERT INTO setting VALUES ('encryption-check', ${quote(encrypted ? "q83vEjRWeJ==" : "unencrypted")});`}
    INSERT INTO setting VALUES ('version-info', '{"latest":{"version":"v0.59.9"}}');
    CREATE TABLE metabase_database (id int, name text);
    CREATE TABLE report_dashboard (id int, name text);
    ${Object.entries(columns).map(([table, list]) => `CREATE TABLE ${table} (${list.join(", ")});`).join("\n")}
    INSERT INTO report_card (id, name) SELECT n, 'question ' || n FROM generate_series(1, 1234) n;
    ${patch ? `UPDATE report_card SET metabase_version = ${quote(patch)} WHERE id = 7; UPDATE report_card SET metabase_version = 'v0.48.0 (0000000)' WHERE id = 8;` : ""}
    INSERT INTO report_dashboard (id, name) VALUES (1, 'only');
    INSERT INTO core_user (id, email) VALUES (1, 'ada@example.com'), (2, 'bob@example.com');
    ${ids.map(([id, comment], order) => `INSERT INTO databasechangelog (id, comments, exectype, orderexecuted) VALUES (${quote(id)}, ${quote(comment)}, 'EXECUTED', ${order});`).join("\n")}`;
}

const everything = `SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (SELECT table_name || column_name AS x FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
  UNION ALL SELECT 'c' || t::text FROM report_card t UNION ALL SELECT 'l' || t::text FROM databasechangelog t UNION ALL SELECT 'k' || t::text FROM databasechangeloglock t UNION ALL SELECT 's' || nspname FROM pg_namespace) q`;

const cases = [
  { release: 37, version: "0.37", way: "through-releases", through: ["0.37.x", "0.38.x", "0.39.x", "0.40.x"], says: /0\.37\.x, 0\.38\.x, 0\.39\.x and 0\.40\.x/ },
  { release: 39, version: "0.39", way: "through-releases", through: ["0.39.x", "0.40.x"], says: /last 0\.40/ },
  { release: 40, version: "0.40", way: "direct", through: [], says: /taken over from there directly/ },
  { release: 41, version: "0.41", way: "direct", through: [], says: /directly/ },
  { release: 44, version: "0.44", way: "direct", through: [], says: /directly/ },
  { release: 50, options: { patch: "v0.50.3 (abc1234)", encrypted: true }, version: "0.50.3", way: "direct", through: [], says: /MB_ENCRYPTION_SECRET_KEY will be needed/ },
  { release: 59, options: { encrypted: false }, version: "0.59", way: "direct", through: [], says: /directly/ },
  { release: 61, version: "0.61", way: "too-new", through: [], says: /newer than 0\.59/ },
  { release: 50, options: { locked: true }, version: "0.50", way: "not-now", through: [], says: /web-1/ },
];

for (const { release, options, version, way, through, says } of cases) {
  test(`a Metabase 0.${release}${options?.locked ? " in the middle of a migration" : ""} is named with its way, and nothing is touched`, (t) => {
    const postgres = test_postgres(t);
    if (!postgres) return;
    postgres.query(tables(release, options));
    const data = scratch_directory();
    t.after(() => rmSync(data, { recursive: true, force: true }));
    const environment = { MB_DB_CONNECTION_URI: postgres.uri, BASALT_DATA_DIR: join(data, "none") };
    const before = postgres.query(everything);
    const plan = run_command(["upgrade", "plan", "--json"], { environment });
    const { metabase } = JSON.parse(plan.out);
    assert.equal(metabase.version, version, plan.out);
    assert.equal(metabase.way, way);
    assert.deepEqual(metabase.through, through);
    assert.equal(metabase.where, "PostgreSQL, schema public");
    assert.deepEqual([metabase.questions, metabase.dashboards, metabase.people], [1234, 1, 2]);
    assert.equal(metabase.can_take_over_now, false, "and it says so");
    const text = run_command(["upgrade", "plan"], { environment }).out;
    assert.match(text, says);
    assert.match(text, /1,234 questions, 1 dashboard and 2 accounts/);
    assert.match(text, /does not take over yet/);
    const doctor = run_command(["doctor"], { environment }).out;
    assert.ok(doctor.includes(`A Metabase was found: PostgreSQL, schema public. It is a Metabase ${version}.`), doctor);
    assert.equal(JSON.parse(run_command(["doctor", "--json"], { environment }).out).metabase.way, way);
    assert.equal(postgres.query(everything), before, "not a byte was changed");
  });
}

test("another user of Liquibase is no Metabase, and an empty database is none either", (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  const environment = { MB_DB_CONNECTION_URI: postgres.uri, BASALT_DATA_DIR: "/nowhere/at/all" };
  const found = () => JSON.parse(run_command(["upgrade", "plan", "--json"], { environment }).out).metabase;
  assert.equal(found(), null);
  postgres.query("CREATE TABLE databasechangelog (id varchar(255), exectype varchar(10)); INSERT INTO databasechangelog VALUES ('v50.00-001', 'EXECUTED');");
  assert.equal(found(), null);
});

test("a Metabase in another schema, and one that this user may not read", (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  postgres.query(`CREATE SCHEMA analytics; SET search_path TO analytics; ${tables(49)}`);
  const role = `reader_${Math.random().toString(36).slice(2)}`;
  postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
  const data = scratch_directory();
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const look = (environment) => JSON.parse(run_command(["doctor", "--json"], { environment: { BASALT_DATA_DIR: data, ...environment } }).out).metabase;
  assert.deepEqual([look({ MB_DB_CONNECTION_URI: postgres.uri }).where, look({ MB_DB_CONNECTION_URI: postgres.uri }).version], ["PostgreSQL, schema analytics", "0.49"]);
  try {
    const uri = new URL(postgres.uri);
    uri.username = role;
    uri.password = "p";
    const unread = look({ MB_DB_CONNECTION_URI: uri.href });
    assert.equal(unread.way, "unknown");
    assert.match(unread.sentence, /may not/);
  } finally {
    // Before the database goes, which it may connect to.
    postgres.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test("the server serves beside a Metabase and leaves it as it is", { timeout: 60_000 }, async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  postgres.query(tables(50));
  const mine = "SELECT md5(string_agg(table_schema || table_name || column_name, '|' ORDER BY table_name, column_name)) FROM information_schema.columns WHERE table_schema = 'public'";
  const before = [postgres.query(mine), postgres.query("SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM report_card t")];
  const server = new Server({ environment: { MB_DB_CONNECTION_URI: postgres.uri, BASALT_LOAD_SAMPLE_CONTENT: "false" } });
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  assert.deepEqual([postgres.query(mine), postgres.query("SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM report_card t")], before);
  assert.match(server.log, /Metabase 0\.50/, "the log says that one was found");
});

test("a Metabase on H2 is told older or newer, and how to bring it to PostgreSQL", (t) => {
  const data = scratch_directory();
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const block = (format) => Buffer.concat([Buffer.from(`H:2,block:3,blockSize:1000,chunk:7,created:18a9fa4de59,format:${format},version:7,fletcher:354e48e1\n`), Buffer.alloc(4096)]);
  mkdirSync(join(data, "mb"));
  const file = join(data, "mb", "metabase.db.mv.db");
  const plan = (environment) => run_command(["upgrade", "plan"], { environment: { BASALT_DATA_DIR: join(data, "basalt"), ...environment } });
  writeFileSync(file, block(1));
  const by_name = plan({ MB_DB_TYPE: "h2", MB_DB_FILE: join(data, "mb", "metabase.db") });
  assert.equal(by_name.code, 20);
  assert.match(by_name.out, /metabase\.db\.mv\.db[\s\S]*0\.45 or older[\s\S]*load-from-h2/);
  writeFileSync(file, block(2));
  assert.match(plan({ MB_DB_CONNECTION_URI: `jdbc:h2:file:${join(data, "mb", "metabase.db")};IFEXISTS=TRUE` }).out, /0\.46 or newer/);
  assert.match(plan({ MB_DB_FILE: join(data, "mb", "metabase.db") }).out, /0\.46 or newer/, "the file alone, as the image of Metabase has it");
  assert.match(run_command(["doctor"], { environment: { BASALT_DATA_DIR: join(data, "mb") } }).out, /0\.46 or newer/, "in the data directory");
  mkdirSync(join(data, "image.db"));
  writeFileSync(join(data, "image.db", "image.db.mv.db"), block(1));
  assert.match(plan({ MB_DB_TYPE: "h2", MB_DB_FILE: join(data, "image.db") }).out, /image\.db\.mv\.db[\s\S]*0\.45 or older/, "as the image of Metabase lays it");
  writeFileSync(file, "SQLite format 3");
  assert.doesNotMatch(plan({ MB_DB_FILE: join(data, "mb", "metabase.db") }).out, /Metabase/);
});

// A database of its own on the test MariaDB.
function test_mysql(t) {
  const admin = process.env.BASALT_TEST_MYSQL;
  if (!admin) {
    t.skip("no MariaDB: BASALT_TEST_MYSQL is not set");
    return undefined;
  }
  const { hostname: host, port, username: user, password } = new URL(admin);
  const name = `t_${Math.random().toString(36).slice(2)}`;
  const query = (sql, database = name) => {
    const result = spawnSync("mariadb", ["--no-defaults", "--protocol=tcp", `--host=${host}`, `--port=${port}`, `--user=${user}`, `--password=${password}`, "--batch", "--skip-column-names", ...(database ? [database] : [])], { input: sql, encoding: "utf8" });
    if (result.status !== 0) throw new Error(result.stderr);
    return result.stdout.trim();
  };
  query(`CREATE DATABASE ${name}`, "");
  t.after(() => query(`DROP DATABASE ${name}`, ""));
  return { host, port, user, password, name, query };
}

test("a Metabase on MySQL is named with its way, and nothing is touched", (t) => {
  const mysql = test_mysql(t);
  if (!mysql) return;
  const data = scratch_directory();
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const uri = `jdbc:mysql://${mysql.host}:${mysql.port}/${mysql.name}?user=${mysql.user}&password=${mysql.password}`;
  const environments = [
    { MB_DB_CONNECTION_URI: uri },
    { MB_DB_CONNECTION_URI: `mysql://${mysql.user}:${mysql.password}@${mysql.host}:${mysql.port}/${mysql.name}` },
    { MB_DB_TYPE: "mysql", MB_DB_HOST: mysql.host, MB_DB_PORT: mysql.port, MB_DB_DBNAME: mysql.name, MB_DB_USER: mysql.user, MB_DB_PASS: mysql.password },
  ];
  const plan = (environment) => run_command(["upgrade", "plan", "--json"], { environment: { BASALT_DATA_DIR: data, ...environment } });
  assert.equal(plan(environments[0]).code, 1, "an empty MySQL is only the wrong engine");
  mysql.query(`
    CREATE TABLE DATABASECHANGELOG (ID varchar(255), AUTHOR varchar(255), FILENAME varchar(255), DATEEXECUTED datetime, ORDEREXECUTED int, EXECTYPE varchar(10), COMMENTS varchar(255), DEPLOYMENT_ID varchar(10));
    CREATE TABLE DATABASECHANGELOGLOCK (ID int, LOCKED bit(1), LOCKGRANTED datetime, LOCKEDBY varchar(255));
    INSERT INTO DATABASECHANGELOGLOCK VALUES (1, b'0', NULL, NULL);
    INSERT INTO DATABASECHANGELOG VALUES ('v42.00-001', 'a', 'f', now(), 1, 'EXECUTED', '', '1'), ('v47.00-016', 'a', 'f', now(), 2, 'EXECUTED', '', '1'), ('v9.00-001', 'a', 'f', now(), 3, 'MARK_RAN', '', '1');
    CREATE TABLE setting (\`key\` varchar(254), value text);
    CREATE TABLE metabase_database (id int); CREATE TABLE metabase_field (id int, semantic_type varchar(32)); CREATE TABLE core_user (id int); INSERT INTO core_user VALUES (1);
    CREATE TABLE report_dashboard (id int); CREATE TABLE report_card (id int, dataset bit(1)); INSERT INTO report_card VALUES (1, b'0'), (2, b'1');`);
  const before = mysql.query("CHECKSUM TABLE DATABASECHANGELOG, DATABASECHANGELOGLOCK, setting, report_card; SHOW TABLES");
  for (const environment of environments) {
    const answer = plan(environment);
    assert.equal(answer.code, 20, answer.err + answer.out);
    const { metabase, blocked } = JSON.parse(answer.out);
    assert.deepEqual([metabase.version, metabase.way, metabase.questions, metabase.dashboards, metabase.people], ["0.47", "direct", 2, 0, 1]);
    assert.match(metabase.where, /^MySQL on /);
    assert.match(blocked[0], /mysql/);
    assert.ok(!answer.out.includes(`${mysql.password}@`) && !answer.out.includes("password="), answer.out);
  }
  mysql.query("UPDATE DATABASECHANGELOGLOCK SET LOCKED = b'1', LOCKEDBY = 'web-2'");
  assert.equal(JSON.parse(plan(environments[0]).out).metabase.way, "not-now");
  mysql.query("UPDATE DATABASECHANGELOGLOCK SET LOCKED = b'0', LOCKEDBY = NULL");
  assert.equal(mysql.query("CHECKSUM TABLE DATABASECHANGELOG, DATABASECHANGELOGLOCK, setting, report_card; SHOW TABLES"), before, "not a byte was changed");
});

test("a MySQL that does not answer is told without its password", (t) => {
  const data = scratch_directory();
  t.after(() => rmSync(data, { recursive: true, force: true }));
  for (const environment of [{ MB_DB_TYPE: "mysql", MB_DB_HOST: "127.0.0.1", MB_DB_PORT: "1", MB_DB_DBNAME: "mb", MB_DB_USER: "u", MB_DB_PASS: "never-shown" }, { MB_DB_CONNECTION_URI: "jdbc:mysql://127.0.0.1:1/mb?user=u&password=never-shown" }]) {
    const plan = run_command(["upgrade", "plan"], { environment: { BASALT_DATA_DIR: data, ...environment } });
    assert.equal(plan.code, 20, plan.err);
    assert.match(plan.out, /MySQL/);
    assert.match(plan.out, /mysql; it is|cannot live on mysql|must be sqlite or postgres/);
    const doctor = run_command(["doctor"], { environment: { BASALT_DATA_DIR: data, ...environment } });
    assert.equal(doctor.code, 1);
    for (const text of [plan.out, plan.err, doctor.out, doctor.err]) assert.ok(!text.includes("never-shown"), text);
  }
});
