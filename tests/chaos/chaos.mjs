// What the chaos tests share: stores that can be copied in a moment, processes that die at a chosen call, and a judge
// that reads the data without the product.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { accessSync, constants, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import { binary, clean_environment, Server, root } from "../runner/server.mjs";

export const full = process.env.BASALT_CHAOS === "full";
export const engines = ["sqlite", "postgres"];
const lane_count = Number(process.env.BASALT_CHAOS_LANES ?? 2);
// All points take hours: BASALT_CHAOS_PART=3/8 takes each eighth of them, from the third on, so that eight calls make one whole.
const [part_number, parts] = (process.env.BASALT_CHAOS_PART ?? "1/1").split("/").map(Number);
export const own_part = (points) => points.filter((_, i) => i % parts === part_number - 1);
// How many points are tried in turn on one copy, as long as they leave everything as it was.
export const chain_length = Number(process.env.BASALT_CHAOS_CHAIN ?? (full ? 1 : 5));

// Memory where there is enough of it: a killed process loses nothing that it wrote, so nothing is gained by a slow disk.
function choose_room() {
  try {
    accessSync("/dev/shm", constants.W_OK);
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize > 2 ** 30) return "/dev/shm";
  } catch { /* no such place */ }
  return tmpdir();
}
export const room = mkdtempSync(join(choose_room(), "basalt-chaos-"));
process.once("exit", () => rmSync(room, { recursive: true, force: true }));

// The library that counts and kills; compiled here when the build did not.
export const shim = (() => {
  const built = binary("libchaos.so");
  if (existsSync(built)) return built;
  const here = join(room, "libchaos.so");
  const made = spawnSync("gcc", ["-shared", "-fPIC", "-O1", "-o", here, join(root, "tests/chaos/shim.c")], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`the shim does not compile: ${made.stderr}`);
  return here;
})();

// ---- The judge

let judge_process, judge_waiting = [];
function ask_judge(question) {
  if (!judge_process) {
    judge_process = spawn("python3", [join(root, "tests/chaos/judge.py")], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: judge_process.stdout }).on("line", (line) => judge_waiting.shift()(JSON.parse(line)));
    judge_process.unref(); judge_process.stdin.unref?.(); judge_process.stdout.unref?.();
  }
  return new Promise((resolve, reject) => {
    const guard = setTimeout(() => reject(new Error("the judge does not answer")), 60_000);
    judge_waiting.push((answer) => { clearTimeout(guard); resolve(answer); });
    judge_process.stdin.write(JSON.stringify(question) + "\n");
  });
}

// ---- PostgreSQL

export const postgres_admin = process.env.BASALT_TEST_POSTGRES;
const psql_program = (() => {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort((a, b) => b - a) : [];
  return versions.map((v) => `/usr/lib/postgresql/${v}/bin/psql`).find(existsSync) ?? "psql";
})();
export function psql(uri, sql, { stop = true } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(psql_program, ["-X", "-q", "-At", "-F", "\t", ...(stop ? ["-v", "ON_ERROR_STOP=1"] : []), "-d", uri], { stdio: ["pipe", "pipe", "pipe"] });
    let out = "", err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.once("close", (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(`psql: ${err}`))));
    child.stdin.end(sql);
  });
}

const look_sql = `
SET search_path TO basalt;
SELECT 'meta', key, value FROM upgrade_meta WHERE key IN ('schema', 'level', 'compat_floor', 'pending', 'generation');
SELECT 'meta', 'structure', md5(value) FROM upgrade_meta WHERE key = 'structure';
SELECT 'part', 'parked', count(*) || ':' || md5(coalesce(string_agg(line, '' ORDER BY line), '')) FROM (SELECT md5((migration, operation, direction, table_name, column_name, parked_row, value, shown, state)::text) AS line FROM upgrade_park) x;
SELECT 'part', 'ways back', md5(coalesce(string_agg(migration || checksum, ' ' ORDER BY migration), '')) FROM upgrade_down;
SELECT 'part', 'columns ' || c.relname, md5(string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attname))
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = 'basalt'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^(upgrade|backfill)_' GROUP BY c.relname;
SELECT 'part', 'indexes ' || tablename, md5(string_agg(regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON'), ',' ORDER BY regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON'))) FROM pg_indexes WHERE schemaname = 'basalt' AND tablename !~ '^(upgrade|backfill)_' GROUP BY tablename;
SELECT 'part', 'constraints ' || conrelid::regclass, md5(string_agg(pg_get_constraintdef(oid), ',' ORDER BY pg_get_constraintdef(oid))) FROM pg_constraint WHERE connamespace = 'basalt'::regnamespace AND conrelid::regclass::text !~ '^(upgrade|backfill)_' GROUP BY conrelid;
SELECT 'invalid', count(*), string_agg(indexrelid::regclass::text, ' ') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'basalt'::regnamespace AND NOT indisvalid;
SELECT format($$SELECT 'part', %L, count(*) || ':' || md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM (SELECT %s FROM basalt.%I) t$$, 'rows ' || c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname), c.relname)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = 'basalt'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^(upgrade|backfill)_' GROUP BY c.relname \\gexec
`;

// Waits until nobody but us is connected: a killed client's server process goes on for a while, and may commit.
async function quiet(uri) {
  const name = new URL(uri).pathname.slice(1);
  for (const until = Date.now() + 20_000; ;) {
    if (await psql(postgres_admin, `SELECT count(*) FROM pg_stat_activity WHERE datname = '${name}'`) === "0") return;
    if (Date.now() > until) throw new Error("sessions of a dead client stay on the server");
    await sleep(5);
  }
}

// ---- Places: a data directory, and a database when the engine is PostgreSQL

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const every_place = new Set();
process.once("beforeExit", async () => { for (const place of every_place) await place.remove(); });

export class Place {
  constructor(engine) {
    this.engine = engine;
    this.directory = mkdtempSync(join(room, `${engine}-`));
    this.environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
    every_place.add(this);
  }
  static async empty(engine) {
    const place = new Place(engine);
    if (engine === "postgres") await place.#database();
    return place;
  }
  async #database(template) {
    this.database = `chaos_${randomBytes(6).toString("hex")}`;
    this.uri = postgres_admin.replace(/\/[^/]*$/, `/${this.database}`);
    await psql(postgres_admin, `CREATE DATABASE ${this.database}${template ? ` TEMPLATE ${template}` : ""}`);
    this.environment.MB_DB_CONNECTION_URI = this.uri;
  }
  get file() { return join(this.directory, "basalt.db"); }

  async copy() {
    const made = new Place(this.engine);
    cpSync(this.directory, made.directory, { recursive: true });
    if (this.database) await made.#database(this.database);
    return made;
  }
  // Another node's place: a directory of its own, the same database.
  beside() {
    const made = new Place(this.engine);
    made.uri = this.uri;
    made.environment = { ...this.environment };
    return made;
  }
  async remove() {
    every_place.delete(this);
    rmSync(this.directory, { recursive: true, force: true });
    if (this.database) await psql(postgres_admin, `DROP DATABASE IF EXISTS ${this.database} WITH (FORCE)`).catch(() => {});
  }

  // The shim's variables for a process on this place: {kill, when, stop, fail, trace}.
  chaos_environment({ kill, when, stop, fail, trace, spoil, spoil_in } = {}) {
    const out = { LD_PRELOAD: shim, CHAOS_PATH: this.directory };
    if (this.uri) out.CHAOS_PORT = new URL(this.environment.MB_DB_CONNECTION_URI).port;
    if (kill) out.CHAOS_KILL = String(kill);
    if (when) out.CHAOS_WHEN = when;
    if (stop) out.CHAOS_STOP = String(stop);
    if (fail) out.CHAOS_FAIL = fail;
    if (trace) out.CHAOS_TRACE = trace;
    if (spoil) Object.assign(out, { CHAOS_SPOIL: spoil, CHAOS_SPOIL_IN: spoil_in });
    return out;
  }

  // A command started: {child, ended: Promise<{code, signal, out, err}>}.
  begin(name, args, chaos, environment = {}) {
    const child = spawn(binary(name), [...args, "--data-dir", this.directory], {
      env: clean_environment({ ...this.environment, ...(chaos ? this.chaos_environment(chaos) : {}), ...environment }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "", err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    const guard = setTimeout(() => child.kill("SIGABRT"), 120_000);
    const ended = new Promise((resolve) => child.once("close", (code, signal) => { clearTimeout(guard); resolve({ code, signal, out, err }); }));
    return { child, ended };
  }
  // A command run to its end.
  run(name, args, chaos, environment) { return this.begin(name, args, chaos, environment).ended; }

  server(name, options = {}) {
    return new Server({ name, data_directory: this.directory, keep: true, ...options, environment: { ...this.environment, ...(options.chaos ? this.chaos_environment(options.chaos) : {}), ...options.environment } });
  }

  // The numbered calls of a clean run on a copy: [{n, call, path}], and how the copy looks afterwards.
  async traced(name, args) {
    const place = await this.copy();
    const trace = join(room, `trace-${randomUUID()}`);
    const ended = await place.run(name, args, { trace });
    assert.equal(ended.code, 0, `${name} ${args.join(" ")}: ${ended.err}${ended.out}`);
    const calls = readFileSync(trace, "utf8").trim().split("\n").map((line) => {
      const [n, call, ...path] = line.split(" ");
      return { n: Number(n), call, path: path.join(" ") };
    });
    rmSync(trace);
    return { calls, place };
  }

  // What is in the data: {schema, level, pending, generation, parts: {name: digest}}.
  async look() {
    if (this.uri) await quiet(this.uri);
    return this.look_now();
  }
  // The same, also while processes that sleep keep their sessions.
  async look_now() {
    if (this.engine === "sqlite") {
      const state = await ask_judge({ path: this.file });
      assert.ok(!state.error, `the judge cannot read the store: ${state.error}`);
      assert.equal(state.integrity, "ok");
      return state;
    }
    const state = { schema: 0, level: 0, pending: [], generation: "", parts: {}, invalid: "" };
    if (await psql(this.uri, "SELECT count(*) FROM pg_tables WHERE schemaname = 'basalt' AND tablename = 'upgrade_meta'") === "0") return state;
    for (const line of (await psql(this.uri, look_sql)).split("\n")) {
      const [kind, name, value] = line.split("\t");
      if (kind === "invalid") { if (name !== "0") state.invalid = value; continue; }
      if (kind === "part") { state.parts[name] = value; continue; }
      if (name === "schema" || name === "level") state[name] = Number(value);
      if (name === "pending") state.pending = JSON.parse(value);
      if (name === "generation") state.generation = value;
      else state.parts[`meta ${name}`] = name === "pending" ? JSON.stringify(JSON.parse(value)) : value;
    }
    state.parts["meta pending"] ??= "[]";
    return state;
  }

  // Rows of a query that both engines understand; cells are text or null.
  async rows(sql) {
    if (this.engine === "sqlite") {
      const answer = await ask_judge({ path: this.file, query: sql });
      assert.ok(!answer.error, answer.error);
      return answer.rows.map((row) => row.map((cell) => (cell === null ? null : String(cell))));
    }
    return JSON.parse(await psql(this.uri, `SET search_path TO basalt; SELECT coalesce(json_agg(v), '[]') FROM (SELECT (SELECT json_agg(value) FROM json_each_text(row_to_json(x))) AS v FROM (${sql}) x) y`));
  }
  // Changes data behind the product's back.
  async change(sql) {
    if (this.engine === "postgres") return psql(this.uri, `SET search_path TO basalt; ${sql}`);
    const done = spawnSync("python3", ["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.close()", this.file], { input: sql, encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
  }

  backups() {
    const folder = join(this.directory, "backups");
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".basalt-backup")).sort().map((name) => join(folder, name)) : [];
  }

  // What no run leaves behind once another one has ended well; names that differ only in numbers are told once.
  async leftovers() {
    return [...new Set((await this.#all_leftovers()).map((name) => name.replace(/[0-9a-f]{6,}(-[0-9a-f]+)*|\d{2,}\w*/g, "#")))].sort();
  }
  async #all_leftovers() {
    const out = [];
    // `.new` is one file of one name, which the next run writes over.
    const known = [/^basalt\.db$/, /^basalt\.db\.(in-use|writing|swapping|upgrading)$/, /^upgrade-state\.json(\.new)?$/, /^upgrade\.lock$/, /^backups$/, /^files$/, /^uploads$/, /^\.scratch-in-use$/];
    const kept = readdirSync(this.directory).filter((name) => /^basalt\.db\.before-/.test(name));
    if (kept.length > 1) out.push("more than one kept original (.before-)");
    for (const name of readdirSync(this.directory))
      if (!known.some((pattern) => pattern.test(name)) && !/^basalt\.db\.(before|replaced)-/.test(name)) out.push(name);
    const folder = join(this.directory, "backups");
    if (existsSync(folder))
      for (const name of readdirSync(folder)) if (!/^(basalt-.*\.basalt-backup(\.verified)?|\.scratch-in-use)$/.test(name)) out.push(`backups/${name}`);
    if (this.uri) {
      const schemas = (await psql(this.uri, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema', 'basalt')")).split("\n").filter(Boolean);
      for (const name of schemas) if (!/^basalt_replaced_/.test(name)) out.push(`schema ${name}`);
      const tables = (await psql(this.uri, "SELECT tablename FROM pg_tables WHERE schemaname = 'basalt' AND tablename LIKE 'backfill%'")).split("\n").filter(Boolean);
      for (const name of tables) out.push(`table ${name}`);
      const slots = await psql(this.uri, "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()");
      if (slots !== "0") out.push(`${slots} prepared transactions`);
    }
    return out;
  }
}

// PostgreSQL makes indexes before a migration and proves rules after it, each outside of any transaction, while everybody
// works: which of these are there already says nothing of the data.
export const is_prepared = (before, seen) => seen.schema === before.schema && seen.level === before.level && differences(before, seen).every((line) => line.startsWith("indexes "));
export function apart_from_catalogue(state) {
  return { ...state, parts: Object.fromEntries(Object.entries(state.parts).filter(([name]) => !/^(indexes|constraints|columns) /.test(name))) };
}
export const same = (a, b) => differences(a, b).length === 0;
export function differences(a, b) {
  const out = [];
  for (const name of new Set([...Object.keys(a.parts), ...Object.keys(b.parts)])) if (a.parts[name] !== b.parts[name]) out.push(`${name}: ${a.parts[name]} / ${b.parts[name]}`);
  return out;
}

// ---- A small store with everything in it that makes an upgrade hard

const templates = new Map();
// {one, four, backup}: `one` has the older schema, and parked values to be returned, overruled and orphaned; `four` the
// newer one, and values that the older schema cannot hold; `backup` is a file made of `four` before its last changes.
export function prepared(engine) {
  if (!templates.has(engine)) templates.set(engine, prepare(engine));
  return templates.get(engine);
}

async function prepare(engine) {
  const place = await Place.empty(engine);
  const must = async (name, ...args) => {
    const ended = await place.run(name, args);
    assert.equal(ended.code, 0, `${name} ${args.join(" ")}: ${ended.err}${ended.out}`);
    return ended;
  };
  const first = await place.server("basalt").start();
  await first.set_up();
  for (let i = 0; i < 5; ++i) await first.post("/api/dashboard", { name: `Dashboard ${i}`, parameters: [{ id: "aaaaaaaa", name: "State", slug: "state", type: "string/=" }] });
  await first.post("/api/permissions/group", { name: "Analysts" });
  assert.equal((await first.stop()).code, 0);
  const now = "2026-01-02T03:04:05Z";
  let sql = "";
  const card = (i, settings) => `INSERT INTO card (row_uid, name, creator_id, created_at, updated_at, entity_id, visualization_settings) SELECT '${randomUUID()}', 'Card ${i} \u{1F30B}', id, '${now}', '${now}', 'card-${i}', '${settings}' FROM person WHERE id = (SELECT min(id) FROM person);\n`;
  const snippet = (i) => `INSERT INTO snippet (row_uid, name, content, creator_id, created_at, updated_at, entity_id) SELECT '${randomUUID()}', 'Snippet ${i}', 'x = ${i}', id, '${now}', '${now}', 'snippet-${i}' FROM person WHERE id = (SELECT min(id) FROM person);\n`;
  for (let i = 0; i < 40; ++i) sql += card(i, i % 4 === 0 ? "{}" : `{"basalt.note":"Note ${i}","table.columns":[{"name":"a","enabled":true}]}`);
  for (let i = 0; i < 12; ++i) sql += snippet(i);
  await place.change(sql);

  await must("basalt-next", "migrate", "up");
  // Keys stand in the order in which they come back: their order is no content, but the judge compares texts.
  await place.change(`
      UPDATE card SET audience = 'staff' WHERE entity_id IN ('card-1', 'card-2', 'card-3', 'card-5', 'card-8');
      UPDATE snippet SET name = 'The same' WHERE entity_id IN ('snippet-1', 'snippet-2', 'snippet-3', 'snippet-4');
      UPDATE card SET visualization_settings = '{"graph.x":1,"notes":{"text":"Longer note","format":"markdown","by":["ada","ben"]}}' WHERE entity_id IN ('card-5', 'card-6', 'card-7', 'card-9');`);
  await must("basalt-next", "backup", "create");
  const backup_name = place.backups().at(-1);
  await place.change("UPDATE dashboard SET name = 'Changed after the backup' WHERE id = (SELECT min(id) FROM dashboard); UPDATE card SET description = 'Changed' WHERE entity_id = 'card-11';");
  const four = await place.copy();
  const backup = join(four.directory, "backups", backup_name.split("/").at(-1));

  await must("basalt", "migrate", "down", "--to", "1");
  await place.change(`
    UPDATE card SET visualization_settings = '{"basalt.note":"Edited on the older one"}' WHERE entity_id = 'card-6';
    UPDATE snippet SET name = 'Edited name' WHERE entity_id = 'snippet-3';
    DELETE FROM card WHERE entity_id = 'card-8';
    ${card(100, '{"basalt.note":"New on the older one"}')} ${snippet(100)}`);
  const one = place;
  return { one, four, backup };
}

// ---- Work on several lanes

// Ends at `until`, but not before `enough()`.
export async function on_lanes(items, work, { until = Infinity, enough = () => true } = {}) {
  let next = 0, done = 0;
  const lane = async () => {
    while (next < items.length && (Date.now() < until || !enough())) {
      const item = items[next++];
      await work(item);
      ++done;
    }
  };
  await Promise.all(Array.from({ length: lane_count }, lane));
  return done;
}

// A generator of the same numbers for the same seed.
export function random_of(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Fails when anything is wrong: complaints that differ only in numbers are told once, with how often.
export function blame(wrong, of) {
  if (wrong.length === 0) return;
  const kinds = new Map();
  for (const complaint of wrong) {
    const kind = complaint.split("\n")[0].replace(/^(before|after|half) call \d+ \(\w+\): /, "").replace(/[0-9a-f]{6,}(-[0-9a-f]+)*|\d+/g, "#");
    if (!kinds.has(kind)) kinds.set(kind, { times: 0, first: complaint.slice(0, 700) });
    ++kinds.get(kind).times;
  }
  assert.fail(`${wrong.length} of ${of} failed:\n${[...kinds.values()].map(({ times, first }) => `  ${times} times: ${first}`).join("\n")}`);
}

// A run that is put to sleep at its n-th call. Gives it once it sleeps, or undefined when it ended before.
export async function asleep(place, name, args, n) {
  const run = place.begin(name, args, { stop: n });
  const stopped = async () => {
    for (;;) {
      if (run.child.exitCode !== null || run.child.signalCode !== null) return false;
      try {
        if (/^State:\s+T/m.test(readFileSync(`/proc/${run.child.pid}/status`, "utf8"))) return true;
      } catch { return false; }
      await sleep(5);
    }
  };
  return (await stopped()) ? run : undefined;
}
