// Sockets that systemd hands over, and what it hears.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { binary, clean_environment, eventually, free_port, scratch_directory, Server } from "../runner/server.mjs";
import { Crowd, launched, Launched, Systemd } from "./launched.mjs";

// As a socket unit does it: the socket is there before and after every life of the service. LISTEN_PID is the service's own.
const activate = (port) => ["python3", "-c", `
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", ${port})); s.listen(128)
print("listening", flush=True)
while True:
  pid = os.fork()
  if pid == 0:
    os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="basalt.socket")
    os.execv(sys.argv[1], sys.argv[1:])
  print(pid, flush=True)
  os.waitpid(pid, 0)
`];

async function activated(t, command) {
  const port = await free_port(), data = scratch_directory();
  const server = new Server({ data_directory: data });
  Object.assign(server, { port, url: `http://127.0.0.1:${port}` });
  const words = [...activate(port), binary("basalt"), command, "--data-dir", data, "--port", "1"];  // the port is the socket's
  const systemd = spawn(words[0], words.slice(1), { env: clean_environment(), stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  systemd.stdout.on("data", (chunk) => (out += chunk));
  systemd.stderr.on("data", (chunk) => (server.log += chunk));
  const service = () => Number(out.trim().split("\n").at(-1));
  t.after(async () => {
    systemd.kill("SIGKILL");
    try { process.kill(service(), "SIGKILL"); } catch { /* gone */ }
    await server.close();
  });
  await eventually(() => /listening\n\d+\n/.test(out), { what: "the service's start" });
  await server.healthy();
  return { server, service };
}

for (const command of ["serve", "launch"]) {
  test(`basalt ${command} serves on systemd's socket, and no connection is refused while it is started again`, async (t) => {
    const { server, service } = await activated(t, command);
    await server.set_up();
    const crowd = new Crowd(server, { people: 4, path: "/livez" });
    for (let i = 0; i < 2; i++) {
      const before = service();
      process.kill(before, "SIGTERM");
      await eventually(() => service() !== before, { what: "another life of the service", timeout: 60_000 });
      await server.healthy();
    }
    await crowd.stop();
    assert.deepEqual(crowd.failed, []);
    assert.ok(crowd.answered > 10);
    assert.equal((await server.get("/api/user/current")).status, 200);
  });
}

test("the tool that comes with systemd finds it willing", async (t) => {
  if (spawnSync("which", ["systemd-socket-activate"]).status !== 0) return t.skip("systemd-socket-activate is not installed");
  const port = await free_port(), data = scratch_directory();
  const server = new Server({ data_directory: data });
  Object.assign(server, { port, url: `http://127.0.0.1:${port}` });
  const environment = Object.entries(clean_environment()).filter(([name]) => name.startsWith("BASALT_")).map(([name]) => ["-E", name]).flat();
  server.process = spawn("systemd-socket-activate", ["-l", `127.0.0.1:${port}`, ...environment, binary("basalt"), "serve", "--data-dir", data], { env: clean_environment(), stdio: ["ignore", "ignore", "pipe"] });
  server.process.stderr.on("data", (chunk) => (server.log += chunk));
  server.gone = new Promise((resolve) => server.process.once("exit", (code, signal) => resolve((server.exited = { code, signal }))));
  t.after(() => server.close());
  await server.healthy();
  assert.equal((await server.get("/api/health")).body.status, "ok");
});

test("systemd hears of the launcher what it needs: ready, progress and more time, reloads, the watchdog, the end", async (t) => {
  const folder = scratch_directory();
  const systemd = new Systemd(t, join(folder, "notify"));
  await systemd.hears(/bound/);
  const server = await launched(t, { data_directory: join(folder, "data"), environment: { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: "600000" } });
  await systemd.hears(/EXTEND_TIMEOUT_USEC=\d+/);
  await systemd.hears(/READY=1\nSTATUS=serving/);
  assert.ok(systemd.text.indexOf("EXTEND_TIMEOUT_USEC") < systemd.text.indexOf("READY=1"), "the start was told while it went on");
  await systemd.hears(/WATCHDOG=1/);
  assert.doesNotMatch(systemd.text, /MAINPID/, "the launcher stays the service");
  systemd.text = "";
  const first = await server.settled();
  server.process.kill("SIGHUP");
  await systemd.hears(/RELOADING=1\nMONOTONIC_USEC=\d+/);
  await systemd.hears(/installed, not serving yet: /);
  await systemd.hears(/READY=1\nSTATUS=serving/);
  systemd.text = "";
  await eventually(async () => (await server.status()).children.every((child) => child.process !== first.process), { what: "the old one's end", timeout: 60_000 });
  assert.doesNotMatch(systemd.text, /STOPPING=1/, "that the old one stops is not the service's end");
  process.kill((await server.settled()).process, "SIGKILL");
  await systemd.hears(/STATUS=the server was ended by signal 9 \(Killed\).*; it is started again/);
  await server.settled();
  server.process.kill("SIGTERM");
  await systemd.hears(/STOPPING=1/);
  assert.deepEqual(await server.gone, { code: 0, signal: null });
});

test("more time is asked for while the server beneath migrates", async (t) => {
  const folder = scratch_directory();
  const old = new Launched({ data_directory: join(folder, "data") });
  await old.start();
  await old.set_up();
  await old.stop();
  const systemd = new Systemd(t, join(folder, "notify"));
  await systemd.hears(/bound/);
  const server = await launched(t, { name: "basalt-next", data_directory: old.data_directory, environment: { NOTIFY_SOCKET: systemd.path } });
  await systemd.hears(/READY=1/);
  const before = systemd.text.slice(0, systemd.text.indexOf("READY=1"));
  // How often more is asked for while it moves is told in startup/notify_test.cpp; little data is migrated within the first second.
  assert.match(before, /STATUS=\w+/);
  assert.match(before, /EXTEND_TIMEOUT_USEC=300000000/);
  assert.equal((await server.get("/api/health")).status, 200);
});
