// Starts the built binary with a data directory and a port of its own, and speaks to its API.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const binary = (name = "basalt") => process.env.BASALT_TEST_BUILD ? join(process.env.BASALT_TEST_BUILD, name) : join(root, "build/release", name);

const duckdb_library = join(root, `third_party/node_modules/@duckdb/node-bindings-linux-${process.arch}/libduckdb.so`);

export const administrator = { email: "ada@example.com", password: "Quarry-4-columns", first_name: "Ada", last_name: "Basalt" };

// No connection stays open behind a request: a server that is asked to stop gives those who have one a second to leave.
export const leave = { connection: "close" };

export function scratch_directory() {
  return mkdtempSync(join(tmpdir(), "basalt-test-"));
}

export function free_port() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export function clean_environment(extra) {
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BASALT_|MB_|MAX_SESSION_AGE$|PORT$|DATABASE_URL$|RDS_)/.test(name)));
  // Tests may run in a container without a volume; what they make may be lost with it. A program that a test has copied elsewhere
  // does not find DuckDB by its own place.
  return { ...kept, BASALT_EPHEMERAL: "true", BASALT_DUCKDB_LIBRARY: duckdb_library, ...extra };
}

// Runs a command to its end: {code, out, err}.
export function run_command(args, { name = "basalt", environment = {} } = {}) {
  const result = spawnSync(binary(name), args, { env: clean_environment(environment), encoding: "utf8", timeout: 120_000 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

// Waits until `check` gives something truthy; asks again every `every` milliseconds.
export async function eventually(check, { timeout = 30_000, every = 50, what = "what was waited for" } = {}) {
  const until = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw new Error(`${what} did not happen in ${timeout} ms${last ? `: ${last.message}` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

export class Server {
  constructor({ name = "basalt", data_directory = scratch_directory(), environment = {}, args = [], keep = false } = {}) {
    Object.assign(this, { name, data_directory, environment, args, keep, log: "" });
  }

  async start({ wait = true } = {}) {
    this.port ??= await free_port();
    this.url = `http://127.0.0.1:${this.port}`;
    this.exited = undefined;
    this.process = spawn(binary(this.name), ["serve", "--port", String(this.port), "--data-dir", this.data_directory, ...this.args], {
      env: clean_environment(this.environment),
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.process.stderr.on("data", (chunk) => (this.log += chunk));
    this.gone = new Promise((resolve) => this.process.once("exit", (code, signal) => resolve((this.exited = { code, signal }))));
    if (wait) await this.healthy();
    return this;
  }

  async healthy() {
    await eventually(async () => {
      if (this.exited) return true;
      const answer = await fetch(`${this.url}/api/health`, { headers: leave });
      return answer.status === 200;
    }, { timeout: 60_000, every: 10, what: "a healthy server" });
    if (this.exited) throw new Error(`the server stopped with ${JSON.stringify(this.exited)}: ${this.log}`);
  }

  // Stops it as a service manager does; returns how it ended.
  async stop(signal = "SIGTERM") {
    if (this.process && !this.exited) this.process.kill(signal);
    const ended = await this.gone;
    return ended;
  }

  async close() {
    if (this.process) await this.stop("SIGKILL");
    if (!this.keep) rmSync(this.data_directory, { recursive: true, force: true });
  }

  // {status, body, headers}; body is JSON where the answer says so.
  async request(method, path, body, { session = this.session, headers = {}, raw = false, timeout } = {}) {
    const answer = await fetch(this.url + path, {
      method,
      signal: timeout ? AbortSignal.timeout(timeout) : undefined,
      headers: { ...leave, ...(body === undefined ? {} : { "content-type": "application/json" }), ...(session ? { "x-metabase-session": session } : {}), ...headers },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    const is_json = !raw && (answer.headers.get("content-type") ?? "").includes("application/json");
    return { status: answer.status, body: is_json && text ? JSON.parse(text) : text, headers: answer.headers };
  }

  get(path, options) { return this.request("GET", path, undefined, options); }
  post(path, body = {}, options) { return this.request("POST", path, body, options); }
  put(path, body, options) { return this.request("PUT", path, body, options); }
  delete(path, options) { return this.request("DELETE", path, undefined, options); }

  // The first administrator, signed in.
  async set_up() {
    const { body: properties } = await this.get("/api/session/properties", { session: undefined });
    const made = await this.post("/api/setup", { token: properties["setup-token"], user: administrator, prefs: { site_name: "Test shop", site_locale: "en" } });
    if (made.status !== 200) throw new Error(`set-up failed: ${made.status} ${JSON.stringify(made.body)}`);
    this.session = made.body.id;
    return this;
  }

  async sign_in(email = administrator.email, password = administrator.password) {
    const { status, body } = await this.post("/api/session", { username: email, password }, { session: undefined });
    if (status !== 200) throw new Error(`sign-in failed: ${status} ${JSON.stringify(body)}`);
    return body.id;
  }

  // A new person with a session of their own.
  async add_person({ email = `p${randomBytes(4).toString("hex")}@example.com`, groups = [] } = {}) {
    const password = "Quarry-4-columns";
    const made = await this.post("/api/user", { email, first_name: "Test", last_name: "Person", password, user_group_memberships: [1, ...groups].map((id) => ({ id })) });
    if (made.status !== 200) throw new Error(`a person could not be made: ${made.status} ${JSON.stringify(made.body)}`);
    return { id: made.body.id, email, session: await this.sign_in(email, password) };
  }

  // Waits until a database is synced with fingerprints.
  async synced(id) {
    return eventually(async () => {
      const { body } = await this.get(`/api/database/${id}`);
      if (body.initial_sync_status === "aborted") throw new Error(`sync failed: ${body.sync_error}`);
      return body.initial_sync_status === "complete" && !body.sync_progress && body;
    }, { what: `the sync of database ${id}` });
  }

  async sample_database() {
    const sample = await eventually(async () => (await this.get("/api/database")).body.data.find((database) => database.is_sample), { what: "the sample database" });
    await this.synced(sample.id);
    const metadata = (await this.get(`/api/database/${sample.id}/metadata`)).body;
    const table = (name) => metadata.tables.find((t) => t.name.toUpperCase() === name);
    const field = (table_name, name) => table(table_name).fields.find((f) => f.name.toUpperCase() === name);
    return { id: sample.id, table, field, ref: (table_name, name, options = null) => ["field", field(table_name, name).id, options] };
  }

  async dataset(query) {
    return (await this.post("/api/dataset", query)).body;
  }
}

// A server that is stopped and removed when the test ends.
export async function started(t, options = {}) {
  const server = new Server(options);
  t.after(() => server.close());
  await server.start();
  return server;
}

// A database of its own on the test PostgreSQL: {uri, query(sql)}; undefined (and a note) when there is none.
export function test_postgres(t) {
  const admin = process.env.BASALT_TEST_POSTGRES;
  if (!admin) {
    t.skip("no PostgreSQL: BASALT_TEST_POSTGRES is not set");
    return undefined;
  }
  const name = `t_${randomBytes(6).toString("hex")}`;
  const psql = (uri, sql) => {
    const result = spawnSync("psql", ["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", uri], { input: sql, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`psql: ${result.stderr}`);
    return result.stdout.trim();
  };
  psql(admin, `CREATE DATABASE ${name}`);
  const uri = admin.replace(/\/[^/]*$/, `/${name}`);
  t.after(() => {
    try { psql(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`); } catch { /* the cluster goes away anyway */ }
  });
  const parts = new URL(uri);
  return { uri, query: (sql) => psql(uri, sql), details: { host: parts.hostname, port: Number(parts.port), dbname: name, user: parts.username || "basalt", password: parts.password } };
}

// A database of its own on the test MariaDB: {query(sql), details}; undefined (and a note) when there is none.
export function test_mysql(t) {
  const admin = process.env.BASALT_TEST_MYSQL;
  if (!admin) {
    t.skip("no MySQL or MariaDB: BASALT_TEST_MYSQL is not set");
    return undefined;
  }
  const name = `t_${randomBytes(6).toString("hex")}`;
  const { hostname, port, username, password } = new URL(admin);
  const run = (sql, ...database) => {
    const result = spawnSync("mariadb", ["--no-defaults", "--default-character-set=utf8mb4", "-N", "-B", `-h${hostname}`, `-P${port}`, `-u${username}`, ...database], { input: sql, encoding: "utf8", env: { ...process.env, MYSQL_PWD: password } });
    if (result.status !== 0) throw new Error(`mariadb: ${result.stderr}`);
    return result.stdout.trim();
  };
  run(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  t.after(() => {
    try { run(`DROP DATABASE IF EXISTS ${name}`); } catch { /* the server goes away anyway */ }
  });
  return { query: (sql) => run(sql, name), details: { host: hostname, port: Number(port), dbname: name, user: username, password } };
}
