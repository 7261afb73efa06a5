// What the program says of itself is what the documentation says of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { root, run_command, started } from "../runner/server.mjs";
import { generated } from "./generate.mjs";
import { pages, read_page } from "./pages.mjs";

for (const [path, text] of Object.entries(generated((words) => run_command(words).out))) {
  test(`${path} is what the program says (tools/docs writes it)`, () => {
    assert.equal(readFileSync(join(root, path), "utf8"), text);
  });
}

const { options: configuration, settings } = JSON.parse(run_command(["help", "configuration", "--json"]).out);

test("every variable that a page or a manifest names is one that the program knows", () => {
  const known = new Set(configuration.flatMap((option) => option.environment));
  const secret = new Set(configuration.filter((option) => option.secret).flatMap((option) => option.environment));
  for (const setting of settings) for (const name of setting.environment) known.add(name);
  // The package's own scripts have two of theirs.
  const scripts = ["basalt-as-service", "package-step"].map((name) => readFileSync(join(root, "packaging/debian", name), "utf8")).join("");
  for (const [, name] of scripts.matchAll(/\$\{(BASALT_[A-Z_]+):-/g)) known.add(name);
  const unknown = [];
  const look = (path, text) => {
    for (const [name] of text.matchAll(/\b(?:BASALT|MB)_[A-Z][A-Z0-9_]*/g)) {
      if (known.has(name) || name.endsWith("_") || (name.endsWith("_FILE") && secret.has(name.slice(0, -5)))) continue;
      if (name === "BASALT_VERSION" && path.includes("compose")) continue;
      unknown.push(`${path}: ${name}`);
    }
  };
  for (const page of pages()) look(page.path, page.text);
  for (const path of ["compose/compose.yaml", "kubernetes/one-node.yaml", "kubernetes/several-nodes.yaml", "kubernetes/step-down.yaml", "kubernetes/plan.yaml"]) look(path, readFileSync(join(root, "packaging", path), "utf8"));
  assert.deepEqual(unknown, []);
});

test("every option that a page names is one that the program knows", () => {
  const known = new Set(configuration.map((option) => option.option));
  const commands = read_page("docs/reference/commands.md").text;
  for (const [, name] of commands.matchAll(/--([a-z][a-z-]*)/g)) known.add(name);
  const unknown = [];
  // In text, an option stands as `--name`; in blocks other programs' options stand too, and commands.test.mjs tries ours.
  for (const page of pages()) {
    // The makers' own commands are hidden from help.
    if (page.path.startsWith("docs/decisions/") || page.path.startsWith("docs/install/") || page.path === "docs/releases.md") continue;
    for (const [, name] of page.text.matchAll(/`(?:basalt [^`]*)?--([a-z][a-z-]*)[^`]*`/g)) if (!known.has(name) && !["help", "version"].includes(name)) unknown.push(`${page.path}: --${name}`);
  }
  assert.deepEqual(unknown, []);
});

test("the metrics of the documentation are those of the server, no more and no fewer", async (t) => {
  const server = await started(t);
  await server.set_up();
  const { body } = await server.get("/metrics");
  const real = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`).sort();
  const page = read_page("docs/monitoring.md");
  const told = [...page.text.matchAll(/^\| `(basalt_[a-z_]+)(?:\{[^}]*\})?` \| (\w+) \|/gm)].map(([, name, kind]) => `${name} ${kind}`).sort();
  // Only while it starts.
  assert.ok(told.includes("basalt_migration_progress gauge"));
  assert.deepEqual(told.filter((one) => one !== "basalt_migration_progress gauge"), real.filter((one) => one !== "basalt_migration_progress gauge"));
});

test("the headers that the security page promises are sent", async (t) => {
  const server = await started(t);
  const page = read_page("docs/security.md");
  const rows = [...page.text.matchAll(/^\| `([A-Z][A-Za-z-]+)` \| `([^`]+)` \|/gm)];
  assert.ok(rows.length >= 4, "the table of headers is there");
  const { headers } = await server.get("/api/session/properties");
  for (const [, name, value] of rows) {
    if (name === "Strict-Transport-Security") continue;  // over HTTPS only; server_test has it
    assert.ok((headers.get(name) ?? "").includes(value), `${name}: ${headers.get(name)} has ${value}`);
  }
});
