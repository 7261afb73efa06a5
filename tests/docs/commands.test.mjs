// The commands of the installation pages: those marked `sh run` are run against the built program, and whatever any block hands to
// basalt is a command and an option that it knows.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { binary, clean_environment, free_port, root, run_command, scratch_directory, test_postgres } from "../runner/server.mjs";
import { pages, read_page } from "./pages.mjs";

const shell_blocks = (page) => page.blocks.filter((block) => block.info === "sh" || block.info.startsWith("sh "));

test("every shell block of the installation pages is run or says why not", () => {
  const wrong = [];
  for (const page of pages().filter(({ path }) => path.startsWith("docs/install/"))) {
    for (const block of page.blocks) {
      if (block.info === "" || /^(bash|shell|console)/.test(block.info)) wrong.push(`${page.path}:${block.line}: say what it is: sh run, sh not-run: why, json, …`);
      else if (/^sh\b/.test(block.info) && !/^sh (run(: needs PostgreSQL)?|not-run: .{10,})$/.test(block.info)) wrong.push(`${page.path}:${block.line}: "${block.info}" is neither run nor not-run with a reason`);
    }
  }
  assert.deepEqual(wrong, []);
});

// What is handed to basalt: the words after it, up to where the shell goes on.
function invocations(text) {
  const found = [];
  const commands = text.replace(/\\\n\s*/g, " ").split("\n").map((line) => line.replace(/\s#.*$/, ""));
  const starts = [
    /\bdocker (?:run|create)\b.*?\sbasalt\/basalt:\S+(.*)$/,
    /\bdocker exec(?: -\S+)* \S+ basalt(\s.*)$/,
    /\bdocker compose exec(?: -\S+)* \S+ basalt(\s.*)$/,
    /\bdocker compose run(?: --?\S+)* basalt(\s.*)$/,
    /\b(?:kubectl exec|heroku run|heroku ps:exec).*? -- basalt(\s.*)$/,
    /^(?:[A-Z_]+=\S+ )*(?:sudo (?:-u \S+ )?)?(?:\S*\/)?basalt(?:-before|-as-service)?(\s.*|)$/,
  ];
  for (const command of commands) {
    for (const start of starts) {
      const match = start.exec(command);
      if (!match) continue;
      const words = match[1].replace(/\s(?:\|\|?|&&|;|>|2>|&)(?:\s.*|$)/, "").match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
      found.push({ command: command.trim(), words: words.map((word) => word.replace(/^["']|["']$/g, "")) });
      break;
    }
  }
  return found;
}

test("what the pages hand to basalt are commands and options that it knows", () => {
  const reference = run_command(["help", "commands", "--markdown"]).out;
  const configuration = JSON.parse(run_command(["help", "configuration", "--json"]).out).options.map((option) => option.option);
  const known = new Map();
  for (const part of reference.split(/^##+ basalt /m).slice(1)) {
    const name = part.split("\n")[0];
    known.set(name, [...part.matchAll(/^\| `--([a-z-]+)/gm)].map((match) => match[1]));
  }
  known.set("", []);
  assert.ok(known.has("migrate down") && known.get("migrate down").includes("to-version"), "the reference was read");
  const wrong = [];
  let count = 0;
  for (const page of pages().filter(({ path }) => path.startsWith("docs/install/") || path === "README.md" || path === "docs/upgrading.md" || path === "docs/rolling-back.md" || path === "docs/backup.md")) {
    const text = [...shell_blocks(page).map((block) => block.text), ...page.lines.filter((line) => line.startsWith("    ")).map((line) => line.trim())].join("\n");
    for (const { command, words } of invocations(text)) {
      ++count;
      // As containers hand them over: a command may be one word.
      const all = words.length && !words[0].startsWith("-") ? [...words[0].split(" "), ...words.slice(1)] : words;
      let name = "";
      let at = 0;
      while (at < all.length && known.has([name, all[at]].filter(Boolean).join(" "))) name = [name, all[at++]].filter(Boolean).join(" ");
      if (at < all.length && !all[at].startsWith("-") && (name === "" || [...known.keys()].some((other) => other.startsWith(`${name} `)))) {
        wrong.push(`${page.path}: "${command}": there is no command ${[name, all[at]].filter(Boolean).join(" ")}`);
        continue;
      }
      for (const word of all.slice(at)) {
        const option = /^--([a-z][a-z-]*)/.exec(word)?.[1];
        if (option && !["version", "help"].includes(option) && !known.get(name).includes(option) && !configuration.includes(option)) wrong.push(`${page.path}: "${command}": basalt ${name} has no --${option}`);
      }
    }
  }
  assert.ok(count > 30, `${count} invocations were found`);
  assert.deepEqual(wrong, []);
});

// What happens in the place of a block that is not run, where what comes after needs it: by page and a text in the block.
const in_the_place_of = {
  "docs/install/local.md": { "git pull": "ln -sf \"$NEWER\" build/release/basalt" },
};

const runnable = pages().filter((page) => page.path.startsWith("docs/install/") && shell_blocks(page).some((block) => block.info.startsWith("sh run")));

for (const page of runnable) {
  test(`the commands of ${page.path} do what they say`, { timeout: 180_000 }, async (t) => {
    const needs_postgres = shell_blocks(page).some((block) => block.info.includes("needs PostgreSQL"));
    const postgres = needs_postgres ? test_postgres(t) : undefined;
    if (needs_postgres && !postgres) return;
    const folder = scratch_directory();
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const port = await free_port();
    mkdirSync(join(folder, "build/release"), { recursive: true });
    mkdirSync(join(folder, "bin"));
    symlinkSync(binary(), join(folder, "build/release/basalt"));
    symlinkSync(binary(), join(folder, "bin/basalt"));
    copyFileSync(join(root, "packaging/compose/compose.yaml"), join(folder, "compose.yaml"));
    const script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"];
    for (const block of shell_blocks(page)) {
      if (block.info.startsWith("sh run")) {
        script.push(`echo "--- line ${block.line}" >&2`, block.text);
      } else {
        for (const [text, instead] of Object.entries(in_the_place_of[page.path] ?? {})) if (block.text.includes(text)) script.push(instead);
      }
    }
    let text = script.join("\n").replace(/\b3000\b/g, String(port));
    if (postgres) text = text.replace(/postgres:\/\/[^\s'"]*@db\.example\.com[^\s'"]*/g, postgres.uri);
    writeFileSync(join(folder, "page.sh"), text + "\n");
    const ran = await new Promise((resolve) => {
      const child = spawn("bash", ["page.sh"], {
        cwd: folder,
        env: { ...clean_environment({ HOME: folder, BASALT_PORT: String(port), BASALT_DATA_DIR: "./basalt-data", BASALT_LOAD_SAMPLE_CONTENT: "false", NEWER: binary("basalt-next") }), PATH: `${join(folder, "bin")}:${process.env.PATH}` },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      child.stdout.on("data", (chunk) => (out += chunk));
      child.stderr.on("data", (chunk) => (out += chunk));
      const late = setTimeout(() => child.kill("SIGTERM"), 170_000);
      child.once("close", (code) => { clearTimeout(late); resolve({ code, out }); });
    });
    assert.equal(ran.code, 0, ran.out);
  });
}

test("the installation pages have their five parts", () => {
  for (const page of pages().filter(({ path }) => path.startsWith("docs/install/") && !path.endsWith("README.md"))) {
    for (const part of ["Install", "Where the data lives", "Upgrade", "Go back", "What to watch"]) {
      assert.ok(page.lines.some((line) => /^##+ /.test(line) && line.replace(/^#+ /, "") === part), `${page.path} has no part "${part}"`);
    }
  }
  const index = read_page("docs/install/README.md").text;
  for (const page of pages().filter(({ path }) => path.startsWith("docs/install/") && !path.endsWith("README.md"))) assert.ok(index.includes(`(${page.path.split("/").at(-1)})`), `the index names ${page.path}`);
});
