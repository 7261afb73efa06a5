// The image: what its configuration says, and what is in it run as an engine would run it (a root of its own, its user, its
// variables, a volume or none). Both ways to read its archive; the Dockerfile gives the same files.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { administrator, eventually, free_port, root, test_postgres } from "../runner/server.mjs";
import { image_of_now, package_of_next, package_of_now } from "./artefacts.mjs";
import { Machine, must, why_not } from "./machine.mjs";

const skip = why_not() || false;
let scratch, archive, files, config, layers;
const storage = () => ["--root", join(scratch, "storage"), "--runroot", join(scratch, "run"), "--storage-driver", "vfs"];
const buildah = (...args) => must("buildah", [...storage(), ...args], { env: { ...process.env, BUILDAH_ISOLATION: "chroot", STORAGE_DRIVER: "vfs" } });

before(() => {
  if (skip) return;
  scratch = mkdtempSync(join(tmpdir(), "basalt-image-"));
  archive = image_of_now();
  const unpacked = join(scratch, "archive");
  mkdirSync(unpacked);
  must("tar", ["-xf", archive, "-C", unpacked]);
  const [list] = JSON.parse(readFileSync(join(unpacked, "manifest.json"), "utf8"));
  config = JSON.parse(readFileSync(join(unpacked, list.Config), "utf8"));
  layers = list.Layers.map((layer) => join(unpacked, layer));
  files = join(scratch, "files");
  mkdirSync(files);
  for (const layer of layers) must("tar", ["-xpf", layer, "-C", files]);
});
after(() => scratch && rmSync(scratch, { recursive: true, force: true }));

// A container as far as Basalt can see: the image's files under an overlay of its own, the marks of an engine, the image's
// environment and user.
function container(t, { volume = true } = {}) {
  const machine = new Machine({ lower: files });
  t.after(() => machine.close());
  machine.bind("/proc", "/proc");
  machine.bind("/dev/shm", "/dev/shm");
  writeFileSync(join(machine.root, ".dockerenv"), "");
  if (volume) {
    // A named volume begins with what the image has there, owner and mode too.
    machine.volume = join(machine.scratch, "volume");
    cpSync(join(files, "var/lib/basalt"), machine.volume, { recursive: true, preserveTimestamps: true });
    must("chown", ["--reference", join(files, "var/lib/basalt"), machine.volume]);
    must("chmod", ["--reference", join(files, "var/lib/basalt"), machine.volume]);
    machine.bind(machine.volume, "/var/lib/basalt");
  }
  const environment = (extra) => ({ ...Object.fromEntries(config.config.Env.map((one) => one.split(/=(.*)/s).slice(0, 2))), ...extra });
  machine.command = (words, extra = {}) => machine.chroot(`cd ${config.config.WorkingDir} && exec ${[...config.config.Entrypoint, ...words].map((word) => `'${word}'`).join(" ")}`, { user: config.config.User, environment: environment(extra) });
  machine.start = async (extra = {}) => {
    const port = await free_port();
    const child = spawn("chroot", [`--userspec=${config.config.User}`, machine.root, ...config.config.Entrypoint], { env: environment({ BASALT_PORT: String(port), BASALT_ADDRESS: "127.0.0.1", ...extra }), stdio: ["ignore", "ignore", "pipe"] });
    const server = { port, log: "" };
    child.stderr.on("data", (chunk) => (server.log += chunk));
    server.gone = new Promise((resolve) => child.once("exit", (code) => resolve((server.code = code))));
    server.stop = async () => { child.kill(config.config.StopSignal); return server.gone; };
    t.after(() => child.kill("SIGKILL"));
    await eventually(() => server.code !== undefined || machine.command(["health"], { BASALT_PORT: String(port), BASALT_ADDRESS: "127.0.0.1" }).code === 0,
      { timeout: 60_000, every: 200, what: "a healthy container" });
    if (server.code !== undefined) throw new Error(server.log);
    return server;
  };
  return machine;
}

test("is small, and its configuration is what engines need", { skip }, () => {
  const unpacked = Number(must("du", ["-s", "--apparent-size", "-B1", files]).split("\t")[0]);
  assert.ok(unpacked <= 120e6, `${unpacked} bytes unpacked`);
  assert.ok(statSync(archive).size <= 60e6);
  const { User, Volumes, ExposedPorts, StopSignal, Entrypoint, Healthcheck, Labels, Env } = config.config;
  assert.equal(User, "10001:0");
  assert.deepEqual(Volumes, { "/var/lib/basalt": {} });
  assert.ok("3000/tcp" in ExposedPorts || "3000" in ExposedPorts);
  assert.equal(StopSignal, "SIGTERM");
  assert.deepEqual(Entrypoint, ["/usr/bin/basalt"]);
  assert.deepEqual(Healthcheck.Test, ["CMD", "/usr/bin/basalt", "health", "--live"]);
  assert.match(Labels["org.opencontainers.image.version"], /^0\.1\./);
  assert.ok(Env.includes("BASALT_DATA_DIR=/var/lib/basalt"));
  assert.equal(must("find", [files, "-perm", "/6000"]), "", "nothing is set-uid");
  assert.equal(must("find", [files, "-xdev", "-type", "d", "-perm", "-o+w", "!", "-perm", "-1000"]), "");
});

test("is read as an OCI archive and as docker's", { skip }, () => {
  for (const transport of ["oci-archive", "docker-archive"]) {
    const id = buildah("pull", "--quiet", `${transport}:${archive}`).trim().split("\n").at(-1);
    const seen = JSON.parse(buildah("inspect", "--type", "image", id));
    assert.deepEqual(seen.OCIv1.config.Volumes, { "/var/lib/basalt": {} });
    assert.deepEqual(seen.OCIv1.config.Entrypoint, ["/usr/bin/basalt"]);
    if (transport === "docker-archive") assert.deepEqual(seen.Docker.config.Healthcheck.Test, ["CMD", "/usr/bin/basalt", "health", "--live"]);
  }
});

test("serves from its volume, and a command beside it may be one word or two", { skip }, async (t) => {
  const machine = container(t);
  const server = await machine.start();
  const ask = async (method, path, body) => (await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers: { connection: "close", "content-type": "application/json" }, body: body && JSON.stringify(body) })).json();
  const token = (await ask("GET", "/api/session/properties"))["setup-token"];
  assert.ok((await ask("POST", "/api/setup", { token, user: administrator, prefs: { site_name: "Test shop", site_locale: "en" } })).id);
  assert.ok(readdirSync(machine.volume).includes("basalt.db"));
  assert.doesNotMatch(server.log, /ephemeral/);
  assert.equal(await server.stop(), 0);
  for (const words of [["migrate", "status"], ["migrate status"], ["backup", "create"], ["backup list"]]) {
    const done = machine.command(words);
    assert.equal(done.code, 0, `${words}: ${done.err}`);
  }
  must("dpkg-deb", ["-x", package_of_next(), join(machine.root, "next")]);
  for (const words of [["migrate", "down"], ["migrate down"]]) {
    const up = machine.chroot("/next/usr/lib/basalt/basalt migrate up --data-dir /var/lib/basalt", { user: config.config.User });
    assert.equal(up.code, 0, up.err);
    const done = machine.command(words);
    assert.equal(done.code, 0, `${words}: ${done.out}${done.err}`);
    assert.equal(JSON.parse(machine.command(["migrate", "status", "--json"]).out).schema, 1);
  }
});

test("a user picked at random in group 0 can write its volume", { skip }, (t) => {
  const machine = container(t);
  const done = machine.chroot("touch /var/lib/basalt/made && rm /var/lib/basalt/made", { user: "1234560000:0" });
  assert.equal(done.code, 0, done.err);
});

test("without a volume no new data is made, unless told so", { skip }, async (t) => {
  const machine = container(t, { volume: false });
  await assert.rejects(machine.start(), /volume/);
  assert.equal(machine.chroot("ls -A /var/lib/basalt").out.split("\n").filter((one) => one === "basalt.db").length, 0);
  const server = await machine.start({ BASALT_EPHEMERAL: "true" });
  await server.stop();
});

test("MB_DB_CONNECTION_URI is honoured", { skip }, async (t) => {
  const postgres = test_postgres(t);
  if (!postgres) return;
  const machine = container(t, { volume: true });
  const server = await machine.start({ MB_DB_CONNECTION_URI: postgres.uri });
  const status = JSON.parse(machine.command(["migrate", "status", "--json"], { MB_DB_CONNECTION_URI: postgres.uri }).out);
  assert.match(status.engine, /postgres/i);
  assert.equal(readdirSync(machine.volume).includes("basalt.db"), false);
  assert.equal(await server.stop(), 0);
});

test("the Dockerfile gives the same files", { skip }, () => {
  const base = join(root, "build/package-test/bookworm");
  const debian = new Machine({});  // makes the base where it is not there yet
  debian.close();
  const from = buildah("from", "scratch").trim();
  buildah("add", "--quiet", from, base, "/");
  // The same archives as on this host, so that the same versions are found.
  if (existsSync("/etc/apt/sources.list.d/debian.sources")) {
    writeFileSync(join(scratch, "sources.list"), "");
    buildah("add", "--quiet", from, "/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list.d/");
    buildah("add", "--quiet", from, join(scratch, "sources.list"), "/etc/apt/");
  }
  buildah("commit", "--quiet", from, "docker.io/library/debian:12-slim");
  const context = join(scratch, "context");
  mkdirSync(join(context, "build/package"), { recursive: true });
  mkdirSync(join(context, "packaging"));
  cpSync(package_of_now(), join(context, "build/package", package_of_now().split("/").at(-1)));
  cpSync(join(root, "packaging/container"), join(context, "packaging/container"), { recursive: true });
  buildah("bud", "--quiet", "--pull-never", "--format", "docker", "--volume", "/etc/resolv.conf:/etc/resolv.conf:ro", "-f", join(context, "packaging/container/Dockerfile"), "-t", "basalt-dockerfile", context);
  const made = buildah("from", "--pull-never", "basalt-dockerfile").trim();
  const place = buildah("mount", made).trim();
  const listed = (folder) => must("sh", ["-c", `cd ${folder} && { find . -type f -exec sha256sum {} + ; find . -type l -printf '%l  %p\\n'; find . -mindepth 1 -printf '%m %U:%G  %p\\n'; } | sort -k 2`]);
  const seen = JSON.parse(buildah("inspect", "--type", "image", "basalt-dockerfile")).Docker.config;
  for (const name of ["User", "Volumes", "StopSignal", "Entrypoint", "Healthcheck", "WorkingDir"]) assert.deepEqual(seen[name], config.config[name], name);
  assert.deepEqual(seen.Env.toSorted(), config.config.Env.toSorted());
  const [theirs, ours] = [listed(place), listed(files)].map((text) => text.split("\n"));
  assert.deepEqual({ only_of_the_dockerfile: theirs.filter((line) => !ours.includes(line)), only_of_the_image: ours.filter((line) => !theirs.includes(line)) }, { only_of_the_dockerfile: [], only_of_the_image: [] });
});
