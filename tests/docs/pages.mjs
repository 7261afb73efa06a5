// The documentation as the tests read it: pages, their fenced blocks, links and headings.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../runner/server.mjs";

function markdown_below(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return markdown_below(path);
    return name.endsWith(".md") ? [path] : [];
  });
}

// {path, text, lines, blocks: [{info, text, line}]}; path from the repository's root.
export function read_page(path) {
  const text = readFileSync(join(root, path), "utf8");
  const lines = text.split("\n");
  const blocks = [];
  let open;
  lines.forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (!fence) return open?.lines.push(line);
    if (open) {
      blocks.push({ info: open.info, line: open.line, text: open.lines.join("\n") });
      open = undefined;
    } else {
      open = { info: fence[1].trim(), line: index + 2, lines: [] };
    }
  });
  if (open) throw new Error(`${path}: the block of line ${open.line} never ends`);
  return { path, text, lines, blocks };
}

export const pages = () => [...markdown_below(join(root, "docs")).map((path) => relative(root, path)), "README.md"].sort().map(read_page);

// What is no block and no code: where sentences and links are.
export function prose(page) {
  let inside = false;
  return page.lines.filter((line) => {
    if (line.startsWith("```")) { inside = !inside; return false; }
    return !inside && !line.startsWith("    ");
  }).join("\n");
}

// As GitHub names a heading in an address.
export const anchor = (heading) => heading.toLowerCase().replace(/[`*]/g, "").replace(/[^\p{L}\p{N} _-]/gu, "").trim().replace(/ /g, "-");
export const anchors = (page) => page.lines.filter((line) => /^#{1,6} /.test(line)).map((line) => anchor(line.replace(/^#+ /, "")));
export const links = (page) => [...prose(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1]);
