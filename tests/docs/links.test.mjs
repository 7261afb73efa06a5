// Every link leads somewhere, and every page is found from docs/README.md.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import test from "node:test";
import { root } from "../runner/server.mjs";
import { anchors, links, pages, read_page } from "./pages.mjs";

const local = (page) => links(page).filter((link) => !/^[a-z]+:/.test(link)).map((link) => {
  const [path, part] = link.split("#");
  return { link, target: path ? normalize(join(dirname(page.path), path)) : page.path, part };
});

test("every link of the documentation leads to a file, and to a heading that is there", () => {
  const broken = [];
  for (const page of pages()) {
    for (const { link, target, part } of local(page)) {
      if (!existsSync(join(root, target))) broken.push(`${page.path}: ${link} leads nowhere`);
      else if (part && target.endsWith(".md") && !anchors(read_page(target)).includes(part)) broken.push(`${page.path}: ${link} names a heading that is not there`);
    }
  }
  assert.deepEqual(broken, []);
});

test("every page is found from the index", () => {
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { target } of local(read_page(path))) if (target.startsWith("docs/") && target.endsWith(".md") && existsSync(join(root, target))) visit(target);
  };
  visit("docs/README.md");
  assert.deepEqual(pages().map((page) => page.path).filter((path) => path.startsWith("docs/") && !seen.has(path)), []);
});
