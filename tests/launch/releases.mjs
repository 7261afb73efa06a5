// Signed releases as their makers make them, good ones and bad ones, for a server beneath a launcher.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, clean_environment, root } from "../runner/server.mjs";

const scratch = mkdtempSync(join(tmpdir(), "basalt-releases-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));

function run(words, options = {}) {
  const result = spawnSync(words[0], words.slice(1), { encoding: "utf8", timeout: 120_000, ...options });
  if (result.status !== 0) throw new Error(`${words.join(" ")}: ${result.stderr}${result.stdout}`);
  return result.stdout;
}

// Once for all tests of a process: the programs without what only debuggers want.
const stripped = new Map();
function program(name) {
  if (!stripped.has(name)) {
    const to = join(scratch, `program-${name}`);
    if (spawnSync("strip", ["-o", to, binary(name)]).status !== 0) copyFileSync(binary(name), to);
    chmodSync(to, 0o755);
    stripped.set(name, to);
  }
  return stripped.get(name);
}

let evil_library;
function evil() {
  evil_library ??= (() => {
    const to = join(scratch, "libevil.so");
    run(["gcc", "-shared", "-fPIC", "-O1", "-o", to, join(root, "tests/launch/evil.c"), "-lpthread"]);
    return to;
  })();
  return evil_library;
}

// What stands before the real program of a release that is bad; `$@` are its words, `$real` is the program.
export const kinds = {
  good: undefined,
  "does not start": 'case "$1" in serve) echo "basalt: libmissing.so: cannot open" >&2; exit 127;; esac',
  "cannot be run": "exit 127",
  "is never ready": 'case "$1" in serve) exec sleep 1000;; esac',
  "fails a card": "export BASALT_DUCKDB_LIBRARY=/nowhere/libduckdb.so",
  "hangs": 'case "$1" in serve) export EVIL=stop LD_PRELOAD="$evil" EVIL_STATE="$here/../state.json";; esac',
  "eats memory": 'case "$1" in serve) export EVIL=eat LD_PRELOAD="$evil" EVIL_STATE="$here/../state.json";; esac',
  "dies": 'case "$1" in serve) export EVIL=abort LD_PRELOAD="$evil" EVIL_STATE="$here/../state.json";; esac',
};

// A folder of signed files: {folder, root, publish(version, kind), environment}.
export class Feed {
  constructor() {
    this.base = mkdtempSync(join(scratch, "feed-"));
    this.folder = join(this.base, "feed");
    this.keys = join(this.base, "keys");
    mkdirSync(this.folder);
    mkdirSync(this.keys);
    this.release("keys", "a", "b", "list", "--out", this.keys);
    this.release("root", "--folder", this.folder, "--root-key", this.key("a.pub"), "--root-key", this.key("b.pub"), "--root-threshold", "2", "--list-key", this.key("list.pub"), "--list-threshold", "1",
      "--key", this.key("a.pem"), "--key", this.key("b.pem"));
    this.root = join(this.base, "root.json");
    copyFileSync(join(this.folder, "1.root.json"), this.root);
  }
  key(name) { return join(this.keys, name); }
  release(...words) { return run([binary("basalt"), "release", ...words], { env: clean_environment() }); }
  get environment() { return { BASALT_RELEASE_FEED: this.folder, BASALT_RELEASE_ROOT: this.root }; }

  // `from`: the built program that it is; `kind`: of `kinds`.
  publish(version, kind = "good", { from = "basalt-next", words = [] } = {}) {
    if (!(kind in kinds)) throw new Error(`no such kind of release: ${kind}`);
    const top = join(mkdtempSync(join(this.base, "make-")), `basalt-${version}`);
    mkdirSync(top);
    const put = (to) => { try { linkSync(program(from), to); } catch { copyFileSync(program(from), to); } };
    if (kinds[kind] === undefined) put(join(top, "basalt"));
    else {
      put(join(top, "real"));
      copyFileSync(evil(), join(top, "libevil.so"));
      writeFileSync(join(top, "basalt"), `#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd)\nreal="$here/real"\nevil="$here/libevil.so"\n${kinds[kind]}\nexec "$real" "$@"\n`);
      chmodSync(join(top, "basalt"), 0o755);
    }
    const archive = join(this.base, `basalt-${version}-linux-${process.arch === "arm64" ? "arm64" : "x64"}.tar.gz`);
    if (existsSync(archive)) rmSync(archive);
    run(["tar", "-C", join(top, ".."), "-cf", archive, `basalt-${version}`]);
    const platform = `linux-${process.arch === "arm64" ? "arm64" : "x64"}`;
    this.release("add", "--folder", this.folder, "--version", version, "--class", "minor", "--artefact", `${platform}=${archive}`, "--key", this.key("list.pem"), ...words);
    rmSync(join(top, ".."), { recursive: true, force: true });
    return this;
  }
  bundle(version) {
    const to = join(this.base, `basalt-${version}.bundle`);
    this.release("bundle", "--folder", this.folder, "--version", version, "--out", to);
    return to;
  }
  // Takes the room back.
  close() { rmSync(this.base, { recursive: true, force: true }); }
}
