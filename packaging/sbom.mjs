// The list of what is inside (CycloneDX 1.5): Basalt, the Debian libraries that it is linked with, DuckDB, and the npm packages of
// the web app; and their notices, as their licences ask for.
// Usage: node sbom.mjs --version V --commit C --epoch SECONDS --packages FILE --out FILE --notices FILE
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const given = Object.fromEntries(process.argv.slice(2).map((word, i, words) => [word.replace(/^--/, ""), words[i + 1]]).filter((_, i) => i % 2 === 0));
const text = (path) => readFileSync(path, "utf8");

// Licences of a Debian package, as far as its copyright file is in the form that machines read.
function debian_licences(name) {
  const path = `/usr/share/doc/${name}/copyright`;
  if (!existsSync(path)) return { names: [], notice: "" };
  const notice = readFileSync(path, "latin1");
  const names = /^Format:.*copyright-format/m.test(notice) ? [...notice.matchAll(/^License:[ \t]*(\S.*)$/gm)].map((found) => found[1].trim()) : [];
  return { names: [...new Set(names)].sort(), notice };
}

const components = [];
const notices = [];

for (const line of text(given.packages).trim().split("\n")) {
  const [name, version, source] = line.split(" ");
  const { names, notice } = debian_licences(name);
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?distro=bookworm`;
  components.push({ type: "library", "bom-ref": purl, name, version, purl, licenses: names.map((licence) => ({ license: { name: licence } })), properties: [{ name: "debian:source", value: source }] });
  notices.push({ name: `${name} ${version} (Debian)`, notice });
}

const headers = ["libboost1.81-dev", "libcli11-dev", "libspdlog-dev", "libfmt-dev"];  // compiled in, not linked
for (const name of headers) {
  const { notice } = debian_licences(name);
  if (notice) notices.push({ name: `${name} (compiled in)`, notice });
}

// npm: what is needed to run, not what only builds.
function npm_components(folder, wanted) {
  for (const [path, entry] of Object.entries(JSON.parse(text(join(folder, "package-lock.json"))).packages)) {
    if (!path || entry.dev || !wanted(path)) continue;
    const name = path.replace(/^.*node_modules\//, "");
    const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${entry.version}`;
    if (components.some((one) => one["bom-ref"] === purl)) continue;
    const [algorithm, hash] = (entry.integrity ?? "").split("-", 2);
    components.push({
      type: "library", "bom-ref": purl, name, version: entry.version, purl,
      licenses: entry.license ? [{ license: /^[\w.+-]+$/.test(entry.license) && !entry.license.startsWith("SEE") ? { id: entry.license } : { name: entry.license } }] : [],
      hashes: hash && algorithm === "sha512" ? [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }] : [],
    });
    const place = join(folder, path);
    if (!existsSync(place)) continue;
    for (const file of readdirSync(place, { withFileTypes: true }).filter((one) => one.isFile() && /^(licen[cs]e|notice)/i.test(one.name)).map((one) => one.name).sort()) {
      notices.push({ name: `${name} ${entry.version}`, notice: text(join(place, file)) });
    }
  }
}
npm_components("web", () => true);
npm_components("third_party", (path) => path.includes("@duckdb/node-bindings-linux-x64"));

components.sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
const reference = `pkg:generic/basalt@${given.version}`;
const content = {
  bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
  metadata: {
    timestamp: new Date(Number(given.epoch) * 1000).toISOString(),
    component: { type: "application", "bom-ref": reference, name: "basalt", version: given.version, licenses: [{ license: { id: "Apache-2.0" } }], properties: [{ name: "git:commit", value: given.commit }] },
  },
  components,
  dependencies: [{ ref: reference, dependsOn: components.map((one) => one["bom-ref"]) }],
};
// A serial number that the content decides, so that the same commit has the same one.
const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
const serial = `urn:uuid:${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
writeFileSync(given.out, JSON.stringify({ ...content, serialNumber: serial }, null, 1) + "\n");

// The same text is printed once.
const by_text = new Map();
for (const { name, notice } of notices) if (notice.trim()) by_text.set(notice.trim(), [...(by_text.get(notice.trim()) ?? []), name]);
writeFileSync(given.notices, "Basalt contains these works of others, under their own terms.\n\n" +
  [...by_text].map(([notice, names]) => `${"=".repeat(78)}\n${[...new Set(names)].join("\n")}\n${"-".repeat(78)}\n${notice}\n\n`).join(""));
