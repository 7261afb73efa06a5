// The tarball in another Debian that has none of its libraries: it brings them. Upgraded and stepped down by swapping folders.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { administrator, binary, eventually, free_port, root } from "../runner/server.mjs";
import { place, tarball_of_next, tarball_of_now } from "./artefacts.mjs";
import { Machine, must, why_not } from "./machine.mjs";

const skip = why_not() || false;
let machine, port, session, process_;
const unpacked = (file) => file.split("/").at(-1).replace(/-linux-.*$/, "");

async function start(folder) {
  port = await free_port();
  process_ = spawn("chroot", ["--userspec=65534:65534", machine.root, `/opt/${folder}/basalt`, "serve", "--port", String(port), "--data-dir", "/data"], { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", BASALT_EPHEMERAL: "true" }, stdio: "ignore" });
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/api/health`, { headers: { connection: "close" } })).status === 200, { timeout: 60_000, every: 200, what: "a healthy server" });
}
async function stop() {
  const gone = new Promise((resolve) => process_.once("exit", resolve));
  process_.kill("SIGTERM");
  await gone;
}
async function ask(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { connection: "close", "content-type": "application/json", ...(session ? { "x-metabase-session": session } : {}) }, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

before(() => {
  if (skip) return;
  const files = [tarball_of_now(), tarball_of_next()];
  machine = new Machine({ suite: "trixie", shared: place });
  // Loopback and processes are the host's; time zones and certificates are what the page asks of a host.
  machine.bind("/proc", "/proc");
  for (const file of files) assert.equal(machine.chroot(`mkdir -p /opt /data && chown 65534:65534 /data && tar -xzf /packages/${file.split("/").at(-1)} -C /opt`).code, 0);
});
after(async () => {
  process_?.kill("SIGKILL");
  await machine?.close();
});

test("packed twice, it is the same bytes", { skip }, () => {
  const again = mkdtempSync(join(tmpdir(), "basalt-packed-"));
  try {
    const environment = { ...process.env, SOURCE_DATE_EPOCH: "1700000000", BASALT_COMMIT: "0000" };
    for (const name of ["one", "two"]) must(join(root, "tools/package"), ["--only", "tar", "--build", dirname(binary("basalt")), "--out", join(again, name)], { env: environment });
    for (const file of readdirSync(join(again, "one"))) assert.ok(readFileSync(join(again, "one", file)).equals(readFileSync(join(again, "two", file))), file);
  } finally {
    rmSync(again, { recursive: true, force: true });
  }
});

test("every library but glibc's own is its own", { skip }, () => {
  const folder = unpacked(tarball_of_now());
  for (const file of ["basalt", "lib/libduckdb.so", "lib/libpq.so.5"]) {
    const listed = machine.chroot(`LD_LIBRARY_PATH=${file === "basalt" ? "" : `/opt/${folder}/lib`} ldd /opt/${folder}/${file}`).out;
    assert.doesNotMatch(listed, /not found/);
    for (const line of listed.split("\n").filter((one) => one.includes("=> /"))) {
      assert.match(line, /=> \/opt\/.*\/lib\/|=> \/lib(64)?\/[^ ]*(ld-linux[^ ]*|lib(c|m|dl|rt|pthread|resolv|util)\.so\.\d+) /, `${file}: ${line}`);
    }
  }
  assert.doesNotMatch(machine.chroot(`ls /opt/${folder}/lib`).out, /libc\.so|ld-linux/);
});

test("serves, is upgraded by the next folder, and steps down again", { skip }, async () => {
  const [now, next] = [unpacked(tarball_of_now()), unpacked(tarball_of_next())];
  await start(now);
  const token = (await ask("GET", "/api/session/properties")).body["setup-token"];
  session = (await ask("POST", "/api/setup", { token, user: administrator, prefs: { site_name: "Test shop", site_locale: "en" } })).body.id;
  const data = await eventually(async () => { const { data: all } = (await ask("GET", "/api/database")).body; return all.length > 0 && all; }, { what: "the sample database" });
  const card = (await ask("POST", "/api/card", { name: "Orders", display: "scalar", visualization_settings: {}, dataset_query: { type: "native", database: data[0].id, native: { query: "SELECT count(*) FROM orders" } } })).body.id;
  const content_is_there = async () => {
    session = (await ask("POST", "/api/session", { username: administrator.email, password: administrator.password })).body.id;
    const answer = await ask("POST", `/api/card/${card}/query`, {});
    assert.equal(answer.body.status, "completed", JSON.stringify(answer.body).slice(0, 500));
  };
  await content_is_there();
  assert.equal(machine.chroot(`/opt/${now}/basalt health --port ${port}`).code, 0);
  await stop();
  assert.equal(machine.chroot(`/opt/${now}/basalt health --port ${port}`).code, 1, "nobody is there, and that is said");

  assert.equal(machine.chroot(`/opt/${next}/basalt migrate plan --data-dir /data`).code, 0);
  await start(next);
  await content_is_there();
  await stop();

  const down = machine.chroot(`/opt/${now}/basalt migrate down --to 1 --data-dir /data`, { user: "65534:65534" });
  assert.equal(down.code, 0, down.err);
  await start(now);
  await content_is_there();
  await stop();
});
