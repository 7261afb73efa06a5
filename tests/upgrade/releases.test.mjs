// Signed releases as their makers make them and as an operator of many sees them: the commands of docs/releases.md word for word.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { binary, clean_environment, root, run_command, scratch_directory, Server } from "../runner/server.mjs";

const page = (name) => readFileSync(join(root, "docs", name), "utf8");
// The shell blocks of a page, by the heading they stand under.
function blocks(name) {
  const out = {};
  let heading = "";
  for (const part of page(name).split(/^(## .*|```sh\n[\s\S]*?^```)$/m)) {
    if (part.startsWith("## ")) heading = part.slice(3);
    else if (part.startsWith("```sh")) (out[heading] ??= []).push(part.slice(6, -4));
  }
  return out;
}

function maker(t) {
  const folder = scratch_directory();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const environment = { BASALT: binary("basalt") };
  const shell = (script) => {
    const result = spawnSync("bash", ["-euc", script.replaceAll("tools/release", join(root, "tools/release"))], { cwd: folder, env: clean_environment(environment), encoding: "utf8", timeout: 60_000 });
    return { code: result.status, out: result.stdout, err: result.stderr };
  };
  const good = (script) => {
    const result = shell(script);
    assert.equal(result.code, 0, `${script}\n${result.out}${result.err}`);
    return result.out;
  };
  writeFileSync(join(folder, "basalt-0.2.0-linux-x64.tar.gz"), "the program, packed");
  writeFileSync(join(folder, "notes.md"), "# More\n");
  return { folder, shell, good, file: (name) => readFileSync(join(folder, name), "utf8") };
}

test("the page for makers of releases does what it says, from the keys to a key that is replaced", (t) => {
  const at = maker(t);
  const page_blocks = blocks("releases.md");
  assert.deepEqual(Object.keys(page_blocks), ["Once: the keys", "Each release", "A bad release", "Before a list expires", "Another key", "Without a network"]);
  at.good(page_blocks["Once: the keys"][0]);
  assert.equal(statSync(join(at.folder, "keys/root-ann.pem")).mode & 0o777, 0o600);
  assert.match(at.good(page_blocks["Each release"][0]), /List 1 is good until .*\n0\.2\.0 \(minor\) linux-x64/s);
  at.good(page_blocks["Without a network"][0]);
  assert.ok(existsSync(join(at.folder, "basalt-0.2.0.bundle")));
  at.good(page_blocks["A bad release"][0]);
  assert.match(at.good("tools/release check --folder feed"), /0\.2\.0 \(minor, withdrawn\)/);
  assert.match(at.shell("tools/release bundle --folder feed --version 0.2.0 --out again.bundle").err, /was withdrawn/);
  at.good(page_blocks["Before a list expires"][0]);
  at.good("tools/release keys --out keys list-2");
  at.good(page_blocks["Another key"][0]);
  assert.match(at.good("tools/release check --folder feed"), /Root 2 is good until .*\nList 4 is good/s);
  assert.match(at.shell("tools/release check --folder feed --at 2040-01-01").err, /has expired on/);
  assert.match(at.shell("tools/release renew --folder feed --key keys/list-1.pem").err, /no draft .* that the key .* has to sign/);
  assert.ok(!existsSync(join(at.folder, "feed/draft/root.json")));
});

test("a signature is one that OpenSSL's own program accepts", (t) => {
  const at = maker(t);
  at.good(blocks("releases.md")["Once: the keys"][0]);
  const text = at.file("feed/root.json");
  const document = JSON.parse(text);
  writeFileSync(join(at.folder, "signed.json"), text.slice(text.indexOf('"signed":') + 9, -2));
  assert.deepEqual(JSON.parse(at.file("signed.json")), document.signed);
  assert.equal(document.signatures.length, 2);
  for (const { keyid, sig } of document.signatures) {
    const name = ["ann", "ben", "cem"].find((one) => createHash("sha256").update(Buffer.from(at.file(`keys/root-${one}.pub`), "base64")).digest("hex") === keyid);
    writeFileSync(join(at.folder, "signature"), Buffer.from(sig, "base64"));
    const verify = `openssl pkey -in keys/root-${name}.pem -pubout -out key.pem && openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.json -sigfile signature`;
    assert.match(at.good(verify), /Signature Verified Successfully/);
    writeFileSync(join(at.folder, "signed.json"), at.file("signed.json") + " ");
    assert.notEqual(at.shell(verify).code, 0);
    writeFileSync(join(at.folder, "signed.json"), at.file("signed.json").slice(0, -1));
  }
});

test("the Updates page reads a signed feed, and says what is wrong with one that is not good", async (t) => {
  const at = maker(t);
  at.good(blocks("releases.md")["Once: the keys"][0]);
  at.good(blocks("releases.md")["Each release"][0]);
  const web = createServer((request, answer) => {
    const path = join(at.folder, "feed", request.url.slice(1));
    if (!existsSync(path)) answer.writeHead(404).end();
    else answer.end(readFileSync(path));
  });
  await new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));
  t.after(() => web.close());
  const server = new Server({ environment: { MB_LOAD_SAMPLE_CONTENT: "false", BASALT_RELEASE_FEED: `http://127.0.0.1:${web.address().port}/releases.json`, BASALT_RELEASE_ROOT: join(at.folder, "feed/1.root.json") } });
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  const ask = async () => (await server.post("/api/basalt/updates/check", {})).body;
  let known = await ask();
  assert.equal(known.feed, "ok");
  assert.equal(known.signed, true);
  assert.equal(known.available.version, "0.2.0");
  assert.ok(existsSync(join(server.data_directory, "versions/trust/trust.json")));
  const list = at.file("feed/releases.json");
  writeFileSync(join(at.folder, "feed/releases.json"), list.replace("0.2.0", "0.9.0"));
  known = await ask();
  assert.match(known.feed, /^failed: The signature of the key .* does not fit: the list of releases was changed after it was signed/);
  assert.equal(known.available.version, "0.2.0", "what was known stays");
  writeFileSync(join(at.folder, "feed/releases.json"), list);
  at.good("tools/release withdraw --folder feed --version 0.2.0 --why 'It loses rows.' --key keys/list-1.pem");
  known = await ask();
  assert.equal(known.available, null);
  writeFileSync(join(at.folder, "feed/releases.json"), list);
  assert.match((await ask()).feed, /^failed: The list of releases at .* has number 1, but number 2 was seen before/);
});

// Servers of a fleet, as far as a fleet asks them.
async function played_fleet(t, names, does) {
  const folder = scratch_directory();
  const states = Object.fromEntries(names.map((name) => [name, { version: "0.1.0", current: "installed", launcher: true, policy: "notify", run: null, denied: [], hold: null, available: { version: "0.2.0" } }]));
  const asked = [];
  const server = createServer((request, answer) => {
    const [, name, ...path] = request.url.split("/");
    const state = states[name];
    const send = (status, body) => answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers["x-api-key"] !== `key of ${name}`) return send(401, "Unauthenticated");
    if (request.method === "GET" && path.join("/") === "api/updates/self") {
      if (state.run?.phase === "observing") {
        if (does(name) === "rolls back") Object.assign(state, { run: { phase: "rolled back", to: "0.2.0", error: "A golden card changed." }, denied: [{ version: "0.2.0", why: "A golden card changed." }] });
        else Object.assign(state, { version: "0.2.0", run: { phase: "good", to: "0.2.0", error: null } });
      }
      return send(200, state);
    }
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      if (does(name) === "refuses") return send(409, { message: "Upgrades are held by Ann." });
      asked.push([name, JSON.parse(text)]);
      state.run = { phase: "observing", to: JSON.parse(text).version, error: null };
      send(202, state);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, "keys"));
  const environment = {};
  const lines = names.map((name, i) => {
    if (i % 2) environment[`KEY_${i}`] = `key of ${name}`;
    else writeFileSync(join(folder, "keys", name), `key of ${name}\n`);
    return `  - { name: ${name}, url: "http://127.0.0.1:${server.address().port}/${name}", ${i % 2 ? `api_key_env: KEY_${i}` : `api_key_file: keys/${name}`} }`;
  });
  const file = join(folder, "fleet.yaml");
  writeFileSync(file, `instances:\n${lines.join("\n")}\n`);
  return { states, asked, file, fleet: (...words) => run_fleet([...words, "--file", file], environment) };
}

// Not spawnSync: the servers are in this process.
async function run_fleet(words, environment) {
  const { spawn } = await import("node:child_process");
  const child = spawn(binary("basalt"), ["fleet", ...words], { env: clean_environment(environment) });
  const out = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (out.out += chunk));
  child.stderr.on("data", (chunk) => (out.err += chunk));
  out.code = await new Promise((resolve) => child.once("exit", resolve));
  return out;
}

const ten = ["berlin", "rome", "oslo", "paris", "wien", "bern", "riga", "kiew", "prag", "lodz"];

test("fleet: status, plan and apply go through the waves", async (t) => {
  const at = await played_fleet(t, ten, () => "well");
  const status = await at.fleet("status");
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /berlin +0\.1\.0 +notify +0\.2\.0 is there/);
  assert.match(status.out, /10 0\.1\.0\n$/);
  assert.doesNotMatch(status.out + status.err, /key of/);
  const plan = await at.fleet("plan", "--json");
  assert.equal(plan.code, 0, plan.err);
  assert.deepEqual(JSON.parse(plan.out).instances.map((one) => one.wave), [1, 3, 3, 3, 3, 4, 4, 4, 4, 4]);
  assert.deepEqual(at.asked, []);
  const first = await at.fleet("apply", "--wave", "1", "--every", "10");
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /^Done: 1 upgraded, 0 had it already, .*9 untouched\.\n$/);
  const all = await at.fleet("apply", "--all", "--every", "10", "--json");
  assert.equal(all.code, 0, all.err);
  assert.equal(JSON.parse(all.out).upgraded, 9);
  assert.equal(at.asked.length, 10);
  assert.deepEqual(at.asked[0][1], { version: "0.2.0", now: true });
  assert.equal((await at.fleet("apply", "--all")).code, 10);
  assert.equal((await at.fleet("plan", "--version", "0.2.0")).code, 10);
});

test("fleet: stops by itself when too many roll back, and does not begin again", async (t) => {
  const at = await played_fleet(t, ten, () => "rolls back");
  const stopped = await at.fleet("apply", "--all", "--at-once", "1", "--every", "10");
  assert.equal(stopped.code, 30, stopped.err);
  assert.equal(at.asked.length, 4);
  assert.match(stopped.out, /^Stopped: 4 of 4 rolled back, and more than 3 are too many\..* 6 untouched\.\n$/);
  assert.match(stopped.err, /rolled back: A golden card changed\./);
  assert.equal((await at.fleet("apply", "--all", "--every", "10")).code, 30);
  assert.equal(at.asked.length, 4);
});

test("fleet: tells who refuses and who cannot be reached", async (t) => {
  const at = await played_fleet(t, ten, (name) => (name === "rome" ? "refuses" : "well"));
  writeFileSync(at.file, `${readFileSync(at.file, "utf8")}  - { name: gone, url: "http://127.0.0.1:1", api_key_file: keys/berlin }\n`);
  const status = await at.fleet("status");
  assert.equal(status.code, 40);
  assert.match(status.out, /gone +\? .*cannot be reached/);
  const all = await at.fleet("apply", "--all", "--every", "10");
  assert.equal(all.code, 40);
  assert.match(all.err, /rome does not take it: Upgrades are held by Ann\./);
  assert.match(all.out, /9 upgraded, .* 1 refused, 1 not reached/);
});

test("fleet: its file is explained when it is wrong", (t) => {
  const folder = scratch_directory();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const missing = run_command(["fleet", "status", "--file", join(folder, "none.yaml")]);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /The fleet file .*none\.yaml cannot be read\./);
  writeFileSync(join(folder, "fleet.yaml"), "instances:\n  - { name: a, url: 'https://a', api_key: hush }\n");
  const inline = run_command(["fleet", "status", "--file", join(folder, "fleet.yaml")]);
  assert.match(inline.err, /has "api_key", which means nothing/);
  assert.doesNotMatch(inline.err, /hush/);
});
