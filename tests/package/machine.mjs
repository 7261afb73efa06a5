// A fresh machine to install things on: a minimal Debian under an overlay that is thrown away, as a plain root (chroot) or booted
// with systemd in a container of its own, without a network but its own loopback.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { eventually, root as repository } from "../runner/server.mjs";

const cache = join(repository, "build/package-test");
const with_systemd = ["ca-certificates", "systemd", "systemd-sysv", "dbus", "curl", "procps"];

function command(name, args, options = {}) {
  const done = spawnSync(name, args, { encoding: "utf8", maxBuffer: 64 << 20, timeout: 900_000, ...options });
  if (done.error) throw done.error;
  return { code: done.status, out: done.stdout, err: done.stderr };
}
export function must(name, args, options) {
  const done = command(name, args, options);
  if (done.code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${done.code}: ${done.out}${done.err}`);
  return done.out;
}

// Why machines cannot be made here; empty when they can.
export function why_not() {
  if (process.getuid() !== 0) return "needs root";
  for (const tool of ["debootstrap", "systemd-nspawn", "mount", "nsenter"]) if (command("sh", ["-c", `command -v ${tool}`]).code !== 0) return `${tool} is not installed`;
  return "";
}

// A Debian that nothing was done to; made once.
function pristine(suite, packages) {
  const place = join(cache, suite + (packages.length ? "-systemd" : ""));
  if (existsSync(place)) return place;
  mkdirSync(cache, { recursive: true });
  rmSync(place + ".new", { recursive: true, force: true });
  must("debootstrap", ["--variant=minbase", ...(packages.length ? [`--include=${packages.join(",")}`] : []), suite, place + ".new", process.env.BASALT_DEBIAN_MIRROR || "http://deb.debian.org/debian"]);
  renameSync(place + ".new", place);
  return place;
}

export class Machine {
  // `shared`: host folder that is seen (read only) as /packages.
  constructor({ suite = "bookworm", systemd = false, shared, lower } = {}) {
    this.scratch = mkdtempSync(join(tmpdir(), "basalt-machine-"));
    this.root = join(this.scratch, "root");
    for (const name of ["root", "upper", "work"]) mkdirSync(join(this.scratch, name));
    must("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${lower ?? pristine(suite, systemd ? with_systemd : [])},upperdir=${this.scratch}/upper,workdir=${this.scratch}/work`, this.root]);
    this.mounts = [this.root];
    if (shared) this.bind(shared, "/packages", "ro");
    this.log = join(this.scratch, "console.log");
  }

  bind(from, to, mode = "rw") {
    mkdirSync(join(this.root, to), { recursive: true });
    must("mount", ["--bind", from, join(this.root, to)]);
    this.mounts.push(join(this.root, to));
    if (mode === "ro") must("mount", ["-o", "remount,bind,ro", join(this.root, to)]);
  }

  // A command in the plain root, with the host's network: {code, out, err}.
  chroot(script, { environment = {}, user, input, timeout = 600_000 } = {}) {
    const place = user === undefined ? ["chroot", this.root] : ["chroot", `--userspec=${user}`, this.root];
    return command(place[0], [...place.slice(1), "/bin/sh", "-c", script], { env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", ...environment }, input, timeout });
  }

  // What apt needs to install `file` without a network.
  fetch_dependencies(file) {
    for (const name of ["/etc/resolv.conf", "/etc/hosts"]) if (existsSync(name)) writeFileSync(join(this.root, name), readFileSync(name));
    const done = this.chroot(`apt-get update -q && apt-get install -q -y --no-install-recommends --download-only ${file}`);
    if (done.code !== 0) throw new Error(`dependencies of ${file} were not found: ${done.out}${done.err}`);
  }

  async boot() {
    const out = openSync(this.log, "a");
    this.nspawn = spawn("systemd-nspawn", ["--directory", this.root, "--boot", "--register=no", "--keep-unit", "--quiet", "--private-network", "--machine", `basalt-${process.pid}`, "--link-journal=no", "--console=pipe"], { stdio: ["ignore", out, out] });
    this.gone = new Promise((resolve) => this.nspawn.once("exit", resolve));
    await eventually(() => {
      if (this.nspawn.exitCode !== null) throw new Error(`the machine did not start: ${readFileSync(this.log, "utf8")}`);
      const child = command("pgrep", ["-P", String(this.nspawn.pid)]).out.trim().split("\n")[0];
      if (!child) return false;
      this.leader = Number(child);
      return /running|degraded/.test(this.run("systemctl is-system-running").out);
    }, { timeout: 120_000, every: 200, what: "a booted machine" });
    return this;
  }

  // A command in the booted machine, as root: {code, out, err}.
  run(script, { environment = {}, input, timeout = 600_000 } = {}) {
    return command("nsenter", ["--target", String(this.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--", "/bin/sh", "-c", script], {
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", ...environment }, input, timeout,
    });
  }
  must(script, options) {
    const done = this.run(script, options);
    if (done.code !== 0) throw new Error(`"${script}" ended with ${done.code}: ${done.out}${done.err}`);
    return done.out;
  }

  // One request from inside the machine: {status, body}.
  request(method, path, body, { session, port = 3000 } = {}) {
    const headers = ["-H 'content-type: application/json'", ...(session ? [`-H 'x-metabase-session: ${session}'`] : [])].join(" ");
    const done = this.run(`curl -s -m 60 -X ${method} ${headers} ${body === undefined ? "" : "--data-binary @-"} -w '\\n%{http_code}' 'http://127.0.0.1:${port}${path}'`, { input: body === undefined ? undefined : JSON.stringify(body) });
    const at = done.out.lastIndexOf("\n");
    const text = done.out.slice(0, at);
    let value = text;
    try { value = JSON.parse(text); } catch { /* a page, or nothing */ }
    return { status: Number(done.out.slice(at + 1)), body: value };
  }

  async close() {
    if (this.nspawn && this.nspawn.exitCode === null) {
      this.run("systemctl poweroff --no-block");
      const timer = setTimeout(() => this.nspawn.kill("SIGKILL"), 30_000);
      await this.gone;
      clearTimeout(timer);
    }
    for (const place of this.mounts.reverse()) command("umount", ["--lazy", place]);
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
