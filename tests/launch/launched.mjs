// A server beneath `basalt launch`, its launcher's control socket, and people who never stop asking.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { binary, clean_environment, eventually, free_port, Server } from "../runner/server.mjs";

export class Launched extends Server {
  async start({ wait = true, stdio = ["ignore", "ignore", "pipe"], wrapper = [] } = {}) {
    this.port ??= await free_port();
    this.url = `http://127.0.0.1:${this.port}`;
    this.exited = undefined;
    const words = [...wrapper, this.program ?? binary(this.name), "launch", "--port", String(this.port), "--data-dir", this.data_directory, ...this.args];
    this.process = spawn(words[0], words.slice(1), { env: clean_environment(this.environment), stdio });
    this.process.stderr?.on("data", (chunk) => (this.log += chunk));
    this.gone = new Promise((resolve) => this.process.once("exit", (code, signal) => resolve((this.exited = { code, signal }))));
    if (wait) await this.healthy();
    return this;
  }

  get versions() { return join(this.data_directory, "versions"); }

  // {lines, last} of one command.
  ask(request) {
    return new Promise((resolve, reject) => {
      const socket = connect(join(this.versions, "launcher.sock"), () => socket.write(JSON.stringify(request) + "\n"));
      let text = "";
      socket.on("data", (chunk) => (text += chunk));
      socket.on("error", reject);
      socket.on("close", () => {
        const lines = text.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
        resolve({ lines, last: lines.at(-1) });
      });
    });
  }
  async status() { return (await this.ask({ do: "status" })).last; }
  async serving() {
    const status = await this.status();
    return status.children.find((child) => child.id === status.serving);
  }
  // The one that serves and is ready.
  async settled() {
    return eventually(async () => {
      const child = await this.serving();
      return child?.ready && child;
    }, { what: "a ready server beneath the launcher" });
  }
  async swap() { return (await this.ask({ do: "swap" })).last; }

  async close() {
    const children = existsSync(join(this.versions, "children.json")) ? JSON.parse(readFileSync(join(this.versions, "children.json"), "utf8")).children : [];
    if (this.process) await this.stop("SIGKILL");
    for (const child of children) if (alive(child.pid)) try { process.kill(child.pid, "SIGKILL"); } catch { /* just gone */ }
    this.process = undefined;
    await super.close();
  }
}

export async function launched(t, options = {}) {
  const server = Object.assign(new Launched(options), { program: options.program });
  t.after(() => server.close());
  await server.start(options);
  return server;
}

export function alive(pid) {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(state.slice(state.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

// Every process that works on a data directory, by its command line or its environment.
export function processes_of(data_directory) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return alive(pid) && /\0(serve|launch)\0/.test(words.replace(/\0?$/, "\0")) && (words.includes(data_directory) || readFileSync(`/proc/${pid}/environ`, "utf8").includes(data_directory));
    } catch {
      return false;
    }
  });
}

// People who ask without a pause: half keep their connections, half make a new one each time. `failed` lists what went wrong.
export class Crowd {
  constructor(server, { people = 8, path = "/api/session/properties" } = {}) {
    this.failed = [];
    this.answered = 0;
    this.slowest = 0;
    this.stopped = false;
    const one = (agent) => new Promise((resolve) => {
      const began = Date.now();
      const request = http.request({ host: "127.0.0.1", port: server.port, path, agent, timeout: 30_000 }, (answer) => {
        answer.resume();
        answer.on("end", () => {
          this.slowest = Math.max(this.slowest, Date.now() - began);
          if (answer.statusCode === 200 && answer.complete) this.answered++;
          else this.failed.push(`${answer.statusCode} ${answer.complete}`);
          resolve();
        });
        answer.on("error", () => {});
      });
      request.on("timeout", () => request.destroy(new Error("30 s without an answer")));
      request.on("error", (error) => {
        this.failed.push(error.code ?? error.message);
        resolve();
      });
      request.end();
    });
    this.all = Promise.all(Array.from({ length: people }, async (_, i) => {
      const agent = i % 2 ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : false;
      while (!this.stopped) await one(agent);
      agent && agent.destroy();
    }));
  }
  async stop() {
    this.stopped = true;
    await this.all;
    return this;
  }
}

// What systemd would hear: python, because node has no datagram sockets with names.
export class Systemd {
  constructor(t, path) {
    this.text = "";
    this.path = path;
    this.process = spawn("python3", ["-u", "-c", `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: sys.stdout.write(s.recv(65536).decode() + "\\n"); sys.stdout.flush()
`, path], { stdio: ["ignore", "pipe", "inherit"] });
    this.process.stdout.on("data", (chunk) => (this.text += chunk));
    t.after(() => this.process.kill("SIGKILL"));
  }
  hears(pattern, options) { return eventually(() => this.text.match(pattern), { every: 10, what: `systemd hearing ${pattern}`, ...options }); }
}

