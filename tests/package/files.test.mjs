// The files of packaging/, looked at in seconds: what can be wrong with them without a machine to install them on.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { binary, root, run_command } from "../runner/server.mjs";

const packaging = join(root, "packaging");
const text = (path) => readFileSync(join(packaging, path), "utf8");
const has = (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
const run = (name, args, options = {}) => {
  const done = spawnSync(name, args, { encoding: "utf8", ...options });
  return { code: done.status, text: `${done.stdout}${done.stderr}` };
};
const scratch = (t) => {
  const place = mkdtempSync(join(tmpdir(), "basalt-files-"));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  return place;
};
const scripts = ["preinst", "postinst", "prerm", "postrm", "package-step", "basalt-as-service"].map((name) => join(packaging, "debian", name));

test("scripts are good shell", (t) => {
  for (const script of scripts) assert.deepEqual(run("dash", ["-n", script]), { code: 0, text: "" }, script);
  for (const script of ["packaging/tree", "packaging/container/rootfs", "tools/package"]) assert.deepEqual(run("bash", ["-n", join(root, script)]), { code: 0, text: "" }, script);
  if (!has("shellcheck")) return t.diagnostic("skipped: shellcheck is not installed");
  assert.deepEqual(run("shellcheck", ["--shell=sh", ...scripts]), { code: 0, text: "" });
});

test("maintainer scripts stop at the first thing that goes wrong", () => {
  for (const name of ["preinst", "postinst", "prerm", "postrm"]) assert.match(text(`debian/${name}`), /^set -e$/m, name);
});

// The unit in a root where its program and its user exist.
function with_unit(t, change = (unit) => unit) {
  const place = scratch(t);
  for (const folder of ["etc/systemd/system", "usr/bin", "usr/lib/systemd/system", "var/lib/basalt", "etc/basalt"]) mkdirSync(join(place, folder), { recursive: true });
  writeFileSync(join(place, "usr/bin/basalt"), "#!/bin/sh\n");
  chmodSync(join(place, "usr/bin/basalt"), 0o755);
  writeFileSync(join(place, "usr/bin/kill"), "#!/bin/sh\n");
  chmodSync(join(place, "usr/bin/kill"), 0o755);
  symlinkSync("usr/bin", join(place, "bin"));
  writeFileSync(join(place, "etc/passwd"), "root:x:0:0::/:/bin/sh\nbasalt:x:990:990::/var/lib/basalt:/usr/sbin/nologin\n");
  writeFileSync(join(place, "etc/group"), "root:x:0:\nbasalt:x:990:\n");
  for (const name of ["basalt.service", "basalt.socket"]) writeFileSync(join(place, "etc/systemd/system", name), change(text(`debian/${name}`)));
  for (const name of ["sysinit.target", "basic.target", "shutdown.target", "network-online.target", "network.target", "multi-user.target", "sockets.target"]) writeFileSync(join(place, "usr/lib/systemd/system", name), "[Unit]\n");
  return run("systemd-analyze", ["verify", `--root=${place}`, "--man=no", "basalt.service", "basalt.socket"]);
}

test("systemd takes the units, and would notice a mistake in them", (t) => {
  if (!has("systemd-analyze")) return t.diagnostic("skipped: systemd-analyze is not installed");
  const good = with_unit(t);
  assert.equal(good.code, 0, good.text);
  assert.doesNotMatch(good.text, /basalt\.(service|socket)/, good.text);
  assert.match(with_unit(t, (unit) => unit.replace("NoNewPrivileges=", "NoNewPrivilegs=")).text, /NoNewPrivilegs/);
});

test("the service is walled in and may take its time to migrate", () => {
  const unit = text("debian/basalt.service");
  for (const line of ["Type=notify", "User=basalt", "ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateDevices=yes", "CapabilityBoundingSet=", "EnvironmentFile=-/etc/basalt/basalt.env", "StateDirectory=basalt"]) assert.ok(unit.split("\n").includes(line), line);
  assert.match(unit, /^TimeoutStartSec=(?!infinity)/m);
});

test("every variable in the configuration file is one that Basalt knows", (t) => {
  const names = [...text("debian/basalt.env").matchAll(/^#?(BASALT_[A-Z_]+)=/gm)].map((found) => found[1]);
  assert.ok(names.length >= 8);
  const environment = Object.fromEntries(names.filter((name) => !/_FILE$/.test(name)).map((name) => [name, text("debian/basalt.env").match(new RegExp(`^#?${name}=(.*)$`, "m"))[1] || "a-secret-of-sixteen"]));
  delete environment.BASALT_DATABASE_URI;
  const done = run_command(["doctor", "--data-dir", scratch(t)], { environment });
  assert.doesNotMatch(done.out + done.err, /unknown|not known|did you mean/i, done.out + done.err);
});

test("nginx takes the site", (t) => {
  if (!has("nginx") || !has("openssl")) return t.diagnostic("skipped: nginx or openssl is not installed");
  const place = scratch(t);
  assert.equal(run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=basalt.example.com", "-keyout", join(place, "key"), "-out", join(place, "certificate")]).code, 0);
  const site = text("share/nginx.conf").replace(/ssl_certificate .*;/, `ssl_certificate ${place}/certificate;`).replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${place}/key;`).replace(/^ +listen \[::\].*$/gm, "").replace("listen 80", "listen 127.0.0.1:18080").replace("listen 443", "listen 127.0.0.1:18443");
  writeFileSync(join(place, "site"), site);
  writeFileSync(join(place, "nginx.conf"), `pid ${place}/pid; error_log ${place}/log; events {} http { include ${place}/site; access_log off; }`);
  const done = run("nginx", ["-t", "-c", join(place, "nginx.conf"), "-p", place]);
  assert.equal(done.code, 0, done.text);
  for (const line of [/proxy_buffering off/, /Upgrade \$http_upgrade/, /proxy_read_timeout 1260s/, /X-Forwarded-Proto/]) assert.match(site, line);
});

test("configuration files are marked as such, and nothing else in etc is shipped", () => {
  const marked = text("debian/conffiles").trim().split("\n").sort();
  const shipped = [...text("tree").matchAll(/"\$tree\/(etc\/[a-z./]+)"/g)].map((found) => (found[1].endsWith("/") ? `/${found[1]}basalt.env` : `/${found[1]}`)).sort();
  assert.deepEqual(marked, shipped);
});

test("the manual page and the completion know every command", (t) => {
  const place = scratch(t);
  const done = run("node", [join(packaging, "manual.mjs"), binary("basalt"), join(place, "page"), join(place, "completion"), "0"]);
  assert.equal(done.code, 0, done.text);
  const page = readFileSync(join(place, "page"), "utf8");
  for (const words of ["SERVE", "MIGRATE DOWN", "BACKUP CREATE", "HEALTH"]) assert.match(page, new RegExp(`^\\.SH BASALT ${words}`, "m"));
  const asked = (words) => run("bash", ["-c", `source ${place}/completion; COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length - 1}; _basalt; echo "\${COMPREPLY[*]}"`]).text.trim();
  assert.equal(asked(["basalt", "mig"]), "migrate");
  assert.match(asked(["basalt", "migrate", ""]), /status .*down/);
  assert.match(asked(["basalt", "migrate", "down", "--to"]), /--to/);
});
