// The package in a fresh Debian 12 with systemd: installed, upgraded, broken in every way we know, stepped down, removed, purged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { administrator, eventually } from "../runner/server.mjs";
import { package_of_next, package_of_now, place, remade } from "./artefacts.mjs";
import { Machine, why_not } from "./machine.mjs";

const skip = why_not() || false;
const inside = (file) => `/packages/${file.split("/").at(-1)}`;
let machine, now, next, session, card, dashboard;

const install = (file, options = "") => machine.run(`apt-get install -q -y --no-install-recommends ${options} ${inside(file)}`);
const ask = (method, path, body) => machine.request(method, path, body, { session });
const state_of_package = () => machine.run("dpkg-query -W -f '${db:Status-Abbrev}${Version}' basalt").out;
const healthy = () => eventually(() => ask("GET", "/api/health").status === 200, { timeout: 60_000, every: 300, what: "a healthy server" });
const backups = () => JSON.parse(machine.must("basalt-as-service backup list --json"));
const schema = () => JSON.parse(machine.must("basalt-as-service migrate status --json")).schema;
const serving = () => machine.run("readlink /proc/$(systemctl show -p MainPID --value basalt)/exe").out.trim();

// What people made is there and works: a dashboard, and a card whose query runs in DuckDB.
function content_is_there() {
  session = ask("POST", "/api/session", { username: administrator.email, password: administrator.password }).body.id;
  assert.ok(session, "sign-in works");
  assert.equal(ask("GET", `/api/dashboard/${dashboard}`).body.name, "Made at first");
  const answer = ask("POST", `/api/card/${card}/query`, {});
  assert.equal(answer.body.status, "completed", JSON.stringify(answer.body).slice(0, 500));
  assert.ok(answer.body.data.rows[0][0] > 1000);
}

before(async () => {
  if (skip) return;
  now = package_of_now();
  next = package_of_next();
  machine = new Machine({ systemd: true, shared: place });
  machine.fetch_dependencies(inside(now));
  await machine.boot();
});
after(() => machine?.close());

test("installs, starts, and serves as its own user in its own walls", { skip }, async () => {
  const done = install(now);
  assert.equal(done.code, 0, done.out + done.err);
  await healthy();
  assert.match(machine.must("ps -o user= -p $(systemctl show -p MainPID --value basalt)"), /^basalt/);
  assert.equal(machine.must("stat -c '%U:%G %a' /var/lib/basalt").trim(), "basalt:basalt 750");
  assert.equal(machine.must("stat -c '%U:%G %a' /etc/basalt/basalt.env").trim(), "root:basalt 640");
  const exposure = Number(/([\d.]+) (OK|MEDIUM|SAFE|EXPOSED|UNSAFE)/.exec(machine.run("systemd-analyze security basalt --no-pager | tail -n 1").out)?.[1]);
  assert.ok(exposure <= 2.5, `systemd-analyze security says ${exposure}`);
  assert.equal(machine.must("systemctl is-enabled basalt.service basalt.socket").trim(), "enabled\nenabled");

  const properties = ask("GET", "/api/session/properties").body;
  const made = ask("POST", "/api/setup", { token: properties["setup-token"], user: administrator, prefs: { site_name: "Test shop", site_locale: "en" } });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  session = made.body.id;
  const sample = await eventually(() => ask("GET", "/api/database").body.data[0], { what: "the sample database" });
  card = ask("POST", "/api/card", { name: "Orders", display: "scalar", visualization_settings: {}, dataset_query: { type: "native", database: sample.id, native: { query: "SELECT count(*) FROM orders" } } }).body.id;
  dashboard = ask("POST", "/api/dashboard", { name: "Made at first" }).body.id;
  content_is_there();
});

test("a command is done as the service would do it", { skip }, () => {
  const doctor = machine.run("basalt-as-service doctor");
  assert.match(doctor.out, /\/var\/lib\/basalt/);
  assert.equal(machine.run("basalt-as-service health").code, 0);
  assert.match(machine.run("su -s /bin/sh nobody -c 'basalt-as-service doctor'").err, /only root/);
});

test("no backup, no change: the old version is not even stopped", { skip }, () => {
  const pid = machine.must("systemctl show -p MainPID --value basalt");
  machine.must("install -d -o basalt -g basalt /var/lib/basalt/backups && mv /var/lib/basalt/backups /var/lib/basalt/backups-aside && touch /var/lib/basalt/backups && chown root: /var/lib/basalt/backups && chmod 000 /var/lib/basalt/backups");
  const done = install(next);
  assert.notEqual(done.code, 0);
  assert.match(done.err + done.out, /basalt: No backup could be made and verified, so nothing is changed/);
  assert.equal(machine.must("systemctl show -p MainPID --value basalt"), pid);
  assert.match(state_of_package(), /^iF/);
  content_is_there();
  assert.equal(schema(), 1);
  machine.must("rm -f /var/lib/basalt/backups && mv /var/lib/basalt/backups-aside /var/lib/basalt/backups");
});

test("tried again it upgrades: a verified backup, then the new version, and nobody is refused", { skip }, async () => {
  machine.must("rm -f /tmp/refused; (while [ ! -e /tmp/enough ]; do curl -s -o /dev/null -m 30 http://127.0.0.1:3000/livez || echo $? >>/tmp/refused; sleep 0.05; done) >/dev/null 2>&1 &");
  const done = machine.run("dpkg --configure basalt");
  assert.equal(done.code, 0, done.out + done.err);
  assert.match(done.err, /basalt: backup made and verified: .*\nbasalt: Basalt 0\.2\.0 serves\./);
  await healthy();
  machine.must("touch /tmp/enough; sleep 0.3");
  assert.equal(machine.run("cat /tmp/refused").out, "", "requests failed (codes of curl)");
  assert.match(state_of_package(), /^ii 0\.2\.0/);
  assert.equal(schema(), 4);
  assert.ok(backups().some((one) => one.schema === 1 && one.verified_at));
  content_is_there();
  assert.equal(ask("POST", "/api/dashboard", { name: "Made on the later one" }).status, 200);
});

const bad = {
  "does not start": { version: "0.3.0", script: 'case "${1:-serve}" in serve|launch) echo "basalt: I do not like this day." >&2; exit 1 ;; esac' },
  "hangs": { version: "0.3.1", script: 'case "${1:-serve}" in serve|launch) exec sleep 100000 ;; esac' },
  "cannot look at the data": { version: "0.3.2", script: 'case "${1:-serve} ${2:-}" in "migrate status") echo "basalt: I am blind." >&2; exit 1 ;; esac' },
};
for (const [what, { version, script }] of Object.entries(bad)) {
  test(`a version that ${what} ends with the old one serving`, { skip }, async () => {
    const began = Date.now();
    const done = machine.run(`apt-get install -q -y ${inside(remade(next, version, script))}`, { environment: { BASALT_PACKAGE_PATIENCE: "8" } });
    assert.notEqual(done.code, 0, "the package counts as installed");
    assert.match(done.err + done.out, /basalt: Basalt 0\.2\.0 (serves again with all data|goes on serving)/);
    await healthy();
    assert.match(serving(), /\/previous\/basalt[a-z-]*$|\/usr\/lib\/basalt\/basalt[a-z-]* \(deleted\)$/);
    content_is_there();
    assert.ok(Date.now() - began < 90_000, `it took ${Date.now() - began} ms`);
  });
}

test("a good one after bad ones is installed as if they had not been", { skip }, async () => {
  const done = install(remade(next, "0.3.9"));
  assert.equal(done.code, 0, done.out + done.err);
  await healthy();
  assert.match(state_of_package(), /^ii 0\.3\.9/);
  assert.match(serving(), /^\/usr\/lib\/basalt\/basalt[a-z-]*$/);
  content_is_there();
});

test("an older package steps the data down and keeps everything", { skip }, async () => {
  const done = install(now, "--allow-downgrades");
  assert.equal(done.code, 0, done.out + done.err);
  assert.match(done.err + done.out, /stepped down to schema 1/);
  await healthy();
  assert.equal(schema(), 1);
  content_is_there();
  assert.ok(ask("GET", "/api/search?q=later").body.data.some((one) => one.name === "Made on the later one"), "what was made on the later version is there");
});

test("one that migrates and then hangs is stepped down again", { skip }, async () => {
  const file = remade(next, "0.4.0", 'case "${1:-serve}" in serve|launch) real migrate up; exec sleep 100000 ;; esac');
  const done = machine.run(`apt-get install -q -y ${inside(file)}`, { environment: { BASALT_PACKAGE_PATIENCE: "10" } });
  assert.notEqual(done.code, 0);
  assert.match(done.err + done.out, /basalt: Basalt 0\.1\.\d+ serves again with all data/);
  await healthy();
  assert.equal(schema(), 1);
  content_is_there();
  assert.equal(install(now, "--allow-downgrades").code, 0);
});

test("a service that was stopped stays stopped, with its backup made", { skip }, async () => {
  machine.must("systemctl stop basalt.socket basalt.service");
  const before = backups().map((one) => one.id);
  const done = install(next);
  assert.equal(done.code, 0, done.out + done.err);
  assert.equal(machine.run("systemctl is-active basalt.service").out.trim(), "inactive");
  assert.ok(backups().some((one) => one.verified_at && !before.includes(one.id)));
  assert.equal(schema(), 1);
  machine.must("systemctl start basalt.socket basalt.service");
  await healthy();
  assert.equal(schema(), 4);
  content_is_there();
});

test("removed and installed again, it goes on where it stopped", { skip }, async () => {
  machine.must("apt-get remove -q -y basalt");
  assert.equal(machine.run("systemctl is-active basalt.service").out.trim(), "inactive");
  assert.equal(machine.run("test -f /var/lib/basalt/basalt.db && test -f /etc/basalt/basalt.env && ! test -e /usr/lib/basalt && ! test -e /usr/bin/basalt").code, 0, machine.run("ls -la /usr/lib/basalt /usr/bin/basalt").out);
  assert.equal(install(next).code, 0);
  await healthy();
  content_is_there();
});

test("purged without an answer it keeps the data; with a yes it is gone", { skip }, async () => {
  machine.must("apt-get purge -q -y basalt");
  assert.equal(machine.run("test -f /var/lib/basalt/basalt.db && ! test -e /etc/basalt").code, 0, machine.run("ls -la /etc/basalt /var/lib/basalt").out);
  assert.equal(install(next).code, 0);
  await healthy();
  content_is_there();
  assert.match(machine.must("debconf-show basalt"), /basalt\/purge-data: false/, "the question is known");
  machine.must("echo 'basalt basalt/purge-data boolean true' | debconf-set-selections && apt-get purge -q -y basalt");
  assert.equal(machine.run("test -e /var/lib/basalt || getent passwd basalt").code, 2, machine.run("ls -la /var/lib/basalt; getent passwd basalt").out);
});
