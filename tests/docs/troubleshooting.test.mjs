// A sentence that the troubleshooting page quotes is one that the program says: found in the sources, piece by piece.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { root } from "../runner/server.mjs";
import { read_page } from "./pages.mjs";

function sources(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith(".cpp") && !name.endsWith("_test.cpp") ? [readFileSync(path, "utf8")] : [];
  });
}

// Texts that stand one after the other are one text to the compiler, and so is what is put between them with +.
const joined = (source) => source.replace(/"\s*\n\s*"/g, "").replace(/\\"/g, "\u0001");

test("every sentence of the troubleshooting page is in the sources", () => {
  const texts = sources(join(root, "src")).map(joined);
  const page = read_page("docs/troubleshooting.md");
  const quoted = page.lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
  assert.ok(quoted.length >= 20, `${quoted.length} sentences`);
  const missing = [];
  for (const sentence of quoted) {
    // "…" stands for what differs each time.
    const pieces = sentence.replace(/"/g, "\u0001").split("…").map((piece) => piece.trim()).filter((piece) => piece.length > 3);
    assert.ok(pieces.some((piece) => piece.length >= 12), `too little to go by: ${sentence}`);
    for (const piece of pieces) if (!texts.some((text) => text.includes(piece))) missing.push(`"${piece.replaceAll("\u0001", '"')}" of: ${sentence}`);
  }
  assert.deepEqual(missing, []);
});
