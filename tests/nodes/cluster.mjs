// Several nodes on one PostgreSQL behind nginx, and people who work on them meanwhile.
import { spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as http_request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventually, free_port, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

const nobody = 65534;

// {nodes, postgres, meta(), upgrade(i), back(i)}: `count` servers of the binary "basalt" with ports and directories of their own;
// undefined (and a note) when there is no PostgreSQL. Nothing is started yet.
export async function cluster(t, { count = 3, args = [] } = {}) {
  const postgres = test_postgres(t);
  if (!postgres) return undefined;
  const environment = { MB_DB_CONNECTION_URI: postgres.uri, MB_LOAD_SAMPLE_CONTENT: "false" };
  const nodes = [];
  for (let i = 0; i < count; ++i) {
    const data_directory = scratch_directory();
    const server = new Server({ name: "basalt", data_directory, environment, args: ["--listen-early", "false", "--bake-time", "0", "--node-name", `node-${i + 1}`, ...args], keep: true });
    server.port = await free_port();
    server.url = `http://127.0.0.1:${server.port}`;
    t.after(async () => {
      await server.close();
      rmSync(data_directory, { recursive: true, force: true });
    });
    nodes.push(server);
  }
  const meta = () => Object.fromEntries(postgres.query("SELECT key || '=' || value FROM basalt.upgrade_meta WHERE key IN ('schema', 'level', 'pending', 'compat_floor')").split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const replace = async (node, name) => {
    const ended = await node.stop();
    if (ended.code !== 0) throw new Error(`${node.name} stopped with ${JSON.stringify(ended)}: ${node.log}`);
    node.name = name;
    const began = performance.now();
    await node.start();
    return performance.now() - began;
  };
  return { nodes, postgres, meta, upgrade: (node) => replace(node, "basalt-next"), back: (node) => replace(node, "basalt") };
}

// nginx before the nodes, as docs/several-nodes.md has it; gives its address.
export async function balancer(t, nodes) {
  const folder = mkdtempSync(join(tmpdir(), "basalt-nginx-"));
  mkdirSync(join(folder, "temporary"));
  const port = await free_port();
  const as_nobody = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {};
  if (process.getuid() === 0) for (const path of [folder, join(folder, "temporary")]) chownSync(path, nobody, nobody);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/temporary/${kind};`).join(" ");
  writeFileSync(join(folder, "nginx.conf"), `
daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; ${temporary}
  upstream basalt {
${nodes.map((node) => `    server 127.0.0.1:${node.port} max_fails=1 fail_timeout=1s;`).join("\n")}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 64m;
    location / {
      proxy_pass http://basalt;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_next_upstream error timeout http_503;
      proxy_connect_timeout 2s;
      proxy_read_timeout 120s;
    }
  }
}
`);
  const nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: `${process.env.PATH}:/usr/sbin` },  // where Debian has it, out of sight of plain users
    ...as_nobody,
  });
  let log = "";
  nginx.stderr.on("data", (chunk) => (log += chunk));
  const gone = new Promise((resolve) => {
    nginx.once("exit", resolve);
    nginx.once("error", (error) => { log += error.message; resolve(); });
  });
  let stopped = false;
  gone.then(() => (stopped = true));
  t.after(async () => {
    nginx.kill("SIGQUIT");
    const timer = setTimeout(() => nginx.kill("SIGKILL"), 2000);
    await gone;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (stopped) throw new Error(`nginx did not start: ${log}`);
    return (await fetch(`${url}/livez`)).status === 200;
  }, { what: "nginx in front of the nodes" });
  return { url, log: () => log };
}

// Some people who read and write through `url` until stop(); remembers outside what was acknowledged.
export class People {
  acknowledged = new Map();  // dashboard id → description
  failures = [];             // everything that was not 200: what a person would have seen
  reads = 0;
  writes = 0;
  slowest = 0;

  constructor(url, session, { count = 4 } = {}) {
    Object.assign(this, { url, session, count, going: true });
    this.agent = new Agent({ keepAlive: true, maxSockets: count });
  }

  ask(method, path, body) {
    const began = performance.now();
    return new Promise((resolve) => {
      const done = (status, text) => {
        this.slowest = Math.max(this.slowest, performance.now() - began);
        if (status !== 200) this.failures.push(`${method} ${path}: ${status} ${String(text).slice(0, 200)}`);
        resolve({ status, text });
      };
      const headers = { "x-metabase-session": this.session, ...(body ? { "content-type": "application/json" } : {}) };
      const asked = http_request(this.url + path, { method, headers, agent: this.agent }, (answer) => {
        let text = "";
        answer.on("data", (chunk) => (text += chunk));
        answer.on("end", () => done(answer.statusCode, text));
        answer.on("error", (error) => done(0, error.message));
      });
      asked.on("error", (error) => done(0, error.message));
      asked.end(body ? JSON.stringify(body) : undefined);
    });
  }

  async #person(number) {
    const own = [];
    for (let turn = 0; this.going; ++turn) {
      const value = `${number}.${turn}`;
      if (own.length < 3 || turn % 7 === 0) {
        const made = await this.ask("POST", "/api/dashboard", { name: `Board ${value}`, description: value });
        if (made.status === 200) {
          const { id } = JSON.parse(made.text);
          own.push(id);
          this.acknowledged.set(id, value);
        }
        ++this.writes;
      } else if (turn % 2 === 0) {
        const id = own[turn % own.length];
        if ((await this.ask("PUT", `/api/dashboard/${id}`, { description: value })).status === 200) this.acknowledged.set(id, value);
        ++this.writes;
      } else {
        const id = own[turn % own.length];
        const read = await this.ask("GET", `/api/dashboard/${id}`);
        if (read.status === 200 && JSON.parse(read.text).description !== this.acknowledged.get(id)) this.failures.push(`dashboard ${id}: an acknowledged write was not read`);
        ++this.reads;
      }
    }
  }

  begin() {
    this.ended = Promise.all(Array.from({ length: this.count }, (_, i) => this.#person(i)));
    return this;
  }
  async end() {
    this.going = false;
    await this.ended;
    this.agent.destroy();
  }
  // What was acknowledged and is not there, through one node.
  async missing(node) {
    const out = [];
    for (const [id, value] of this.acknowledged) {
      const answer = await node.get(`/api/dashboard/${id}`, { session: this.session });
      if (answer.status !== 200 || answer.body.description !== value) out.push(`dashboard ${id}: ${answer.status}, ${answer.body.description} instead of ${value}`);
    }
    return out;
  }
}
