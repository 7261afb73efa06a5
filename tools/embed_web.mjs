// Packs web/dist for the binary: each file brotli- and gzip-compressed, an assembler file that includes them (.incbin) and a
// table for C++. Usage: node tools/embed_web.mjs DIST_DIRECTORY OUTPUT_DIRECTORY
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [dist, output] = process.argv.slice(2);
const types = {
  ".html": "text/html;charset=utf-8", ".js": "text/javascript;charset=utf-8", ".css": "text/css;charset=utf-8", ".svg": "image/svg+xml",
  ".json": "application/json;charset=utf-8", ".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon", ".txt": "text/plain;charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

function* files(directory) {
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

rmSync(output, { recursive: true, force: true });
mkdirSync(join(output, "packed"), { recursive: true });
let assembler = '.section .rodata\n';
let table = "";
let count = 0;
for (const path of files(dist)) {
  const type = types[extname(path)];
  if (!type) continue; // source maps and the like stay outside
  const bytes = readFileSync(path);
  const packed = {
    br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    gz: gzipSync(bytes, { level: 9 }),
  };
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  for (const [kind, content] of Object.entries(packed)) {
    const file = join(output, "packed", `${count}.${kind}`);
    writeFileSync(file, content);
    assembler += `.global basalt_web_${count}_${kind}\n.balign 16\nbasalt_web_${count}_${kind}:\n.incbin "${file}"\n`;
    table += `extern "C" const unsigned char basalt_web_${count}_${kind}[];\n`;
  }
  const name = "/" + relative(dist, path).split("\\").join("/");
  table += `#define BASALT_WEB_${count} {"${name}", "${type}", "${tag}", basalt_web_${count}_br, ${packed.br.length}, basalt_web_${count}_gz, ${packed.gz.length}, ${bytes.length}},\n`;
  ++count;
}
assembler += '.section .note.GNU-stack,"",@progbits\n';
table += "#define BASALT_WEB_ALL " + Array.from({ length: count }, (_, i) => `BASALT_WEB_${i}`).join(" ") + "\n";
writeFileSync(join(output, "assets.S"), assembler);
writeFileSync(join(output, "assets.h"), table);
console.log(`${count} files of the web app packed`);
