// The packages that the tests use: of build/release, made once for all of them, and bad ones made of good ones.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, root } from "../runner/server.mjs";
import { must } from "./machine.mjs";

export const place = process.env.BASALT_PACKAGES ?? join(root, "build/package-test/packages");
const build = process.env.BASALT_TEST_BUILD ?? join(root, "build/release");

function made(name, kinds, extra) {
  const file = () => existsSync(place) && readdirSync(place).find((one) => name.test(one));
  if (process.env.BASALT_PACKAGES && file()) return join(place, file());
  const newest = Math.max(statSync(binary("basalt")).mtimeMs, statSync(binary("basalt-next")).mtimeMs, ...readdirSync(join(root, "packaging"), { recursive: true }).map((one) => statSync(join(root, "packaging", one)).mtimeMs));
  if (file() && statSync(join(place, file())).mtimeMs > newest) return join(place, file());
  mkdirSync(place, { recursive: true });
  must(join(root, "tools/package"), ["--build", build, "--out", place, ...kinds.flatMap((kind) => ["--only", kind]), ...extra], { env: { ...process.env, BASALT_DEB_COMPRESSION: "gzip" } });
  return join(place, file());
}
export const package_of_now = () => made(/^basalt_0\.1\..*\.deb$/, ["deb", "tar", "image"], []);
export const package_of_next = () => made(/^basalt_0\.2\.0_.*\.deb$/, ["deb", "tar"], ["--next"]);
export const tarball_of_now = () => (package_of_now(), made(/^basalt-0\.1\..*\.tar\.gz$/, ["deb", "tar", "image"], []));
export const tarball_of_next = () => (package_of_next(), made(/^basalt-0\.2\.0-.*\.tar\.gz$/, ["deb", "tar"], ["--next"]));
export const image_of_now = () => (package_of_now(), made(/^basalt-0\.1\..*\.image\.tar$/, ["deb", "tar", "image"], []));

// A package of another version, made of a good one. `script`: what stands in the program's place and may call the real one as
// `real …`; without one the program stays good.
export function remade(good, version, script) {
  const scratch = mkdtempSync(join(tmpdir(), "basalt-package-"));
  try {
    must("dpkg-deb", ["--raw-extract", good, scratch]);
    const edit = (path, from, to) => writeFileSync(join(scratch, path), readFileSync(join(scratch, path), "utf8").replace(from, to));
    edit("DEBIAN/control", /^Version: .*$/m, `Version: ${version}`);
    edit("DEBIAN/postinst", /^version=.*$/m, `version=${version}`);
    if (script) {
      renameSync(join(scratch, "usr/lib/basalt/basalt"), join(scratch, "usr/lib/basalt/basalt-good"));
      writeFileSync(join(scratch, "usr/lib/basalt/basalt"), `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nreal() { "$here/basalt-good" "$@"; }\n${script}\nexec "$here/basalt-good" "$@"\n`);
      chmodSync(join(scratch, "usr/lib/basalt/basalt"), 0o755);
    }
    const file = join(place, `basalt_${version}_${good.replace(/^.*_/, "")}`);
    must("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build", scratch, file]);
    return file;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
