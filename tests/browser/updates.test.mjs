// Admin, Updates, in a real browser: a backup is made, verified and restored with sign-in again; a value that a step down parked
// is looked at and put back; every run is in the history. On both engines of the application database.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";

import { open_browser, picture } from "../runner/browser.mjs";
import { administrator, eventually, run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

async function sign_in(page, to = "/admin/updates") {
  await page.goto(`/auth/login?redirect=${encodeURIComponent(to)}`);
  await fill_sign_in(page);
  await page.waitForURL((url) => url.pathname === to);
}

async function fill_sign_in(page) {
  await page.getByLabel("E-mail").fill(administrator.email);
  await page.getByRole("textbox", { name: "Password" }).fill(administrator.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// A card whose notes the older schema has no place for.
async function card_with_notes(server) {
  const made = await server.post("/api/card", {
    name: "Refunds, row by row", display: "table", visualization_settings: { notes: { text: "Checked with finance", format: "rich" } },
    dataset_query: { type: "native", native: { query: "select 1" }, database: server.database },
  });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  return made.body.id;
}

for (const engine of ["sqlite", "postgres"]) {
  test(`${engine}: back up, verify, restore, step down, put a parked value back`, async (t) => {
    const environment = { MB_LOAD_SAMPLE_CONTENT: "true" };
    if (engine === "postgres") {
      const postgres = test_postgres(t);
      if (!postgres) return;
      environment.BASALT_DATABASE_URI = postgres.uri;
    }
    const data_directory = scratch_directory();
    t.after(() => rmSync(data_directory, { recursive: true, force: true }));
    const browser = await open_browser(t);
    const start = async (name, port) => {
      const server = new Server({ name, data_directory, environment, keep: true });
      server.port = port;
      t.after(() => server.close());
      return server.start();
    };

    const later = await start("basalt-next");
    await later.set_up();
    later.database = (await later.sample_database()).id;
    const card = await card_with_notes(later);
    let page = await browser.page(later);
    await sign_in(page);
    await page.getByRole("heading", { level: 1, name: "Updates" }).waitFor();
    await page.getByText("0.2.0").first().waitFor();
    await page.getByText(/Nothing is left to do/).waitFor();

    // Backed up, and verified once more, from the page.
    await page.getByRole("link", { name: "Backups" }).first().click();
    await page.getByText("No backup yet").waitFor();
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.getByText(/The backup is made and checked/).waitFor();
    const row = page.getByRole("row").filter({ hasText: "By hand" });
    await row.getByText(/Today/).first().waitFor();
    await row.getByRole("button", { name: /^Actions/ }).click();
    await page.getByRole("menuitem", { name: "Verify" }).click();
    await page.getByText(/The backup restores as it was/).waitFor();
    await picture(page, `${engine}-updates-backups`);
    // The file itself, for administrators.
    await row.getByRole("button", { name: /^Actions/ }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Download" }).click()]);
    assert.match(download.suggestedFilename(), /\.basalt-backup$/);

    // What is made after the backup is gone after the restore; what was there before is there.
    const lost = (await later.post("/api/dashboard", { name: "Made after the backup" })).body.id;
    await row.getByRole("button", { name: /^Restore/ }).click();
    const dialog = page.getByRole("dialog");
    const confirm = dialog.getByRole("button", { name: "Restore this backup" });
    await dialog.getByText(/Everybody is signed out/).waitFor();
    assert.ok(await confirm.isDisabled(), "nothing happens before the word is typed");
    await dialog.getByRole("textbox").fill("restore");
    assert.ok(await confirm.isDisabled(), "the very word is asked for");
    await dialog.getByRole("textbox").fill("RESTORE");
    await picture(page, `${engine}-updates-restore`);
    await confirm.click();
    await page.waitForURL(/\/auth\/login/, { timeout: 60_000 });
    await fill_sign_in(page);
    await page.waitForURL(/\/admin\/updates\/backups/);
    await page.getByText("The restore is done").waitFor();
    await picture(page, `${engine}-updates-restored`);
    assert.equal(later.exited, undefined, "the process started itself anew, it did not end");
    later.session = await later.sign_in();
    assert.equal((await later.get(`/api/card/${card}`)).body.visualization_settings.notes.format, "rich");
    assert.equal((await later.get(`/api/dashboard/${lost}`)).status, 404);
    assert.deepEqual(page.problems, []);
    assert.equal((await later.stop()).code, 0);

    // A step down parks what the older schema cannot hold; the page shows it beside what is there now, and puts it back.
    const down = run_command(["migrate", "down", "--to", "1", "--data-dir", data_directory], { name: "basalt-next", environment });
    assert.equal(down.code, 0, down.err + down.out);
    const older = await start("basalt");
    older.session = await older.sign_in();
    page = await browser.page(older);
    await sign_in(page, "/admin/updates/parked");
    await page.getByRole("button", { name: "Look: Refunds, row by row" }).click();
    const detail = page.getByRole("dialog");
    await detail.getByRole("region", { name: "Parked" }).getByText("rich").waitFor();
    await picture(page, `${engine}-updates-parked`);
    await detail.getByRole("button", { name: /Put back/ }).click();
    await detail.getByRole("button", { name: "Put back", exact: true }).click();
    await page.getByText("The value is back in its place.").waitFor();
    await page.getByText("Nothing is parked").waitFor();
    assert.equal((await older.get(`/api/card/${card}`)).body.visualization_settings.notes?.format, "rich");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: "Look: Refunds, row by row" }).waitFor();
    assert.equal((await older.get(`/api/card/${card}`)).body.visualization_settings.notes?.format, undefined);

    // Every run is told: made, upgraded or made anew, stepped down.
    await page.getByRole("link", { name: "History" }).first().click();
    await page.getByText("Step down to schema 1").waitFor();
    await picture(page, `${engine}-updates-history`);
    assert.deepEqual(page.problems, []);
    await older.stop();
  });
}

for (const engine of ["sqlite", "postgres"])
  test(`${engine}: what waited for the last older node is finalised from the page`, async (t) => {
    const environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
    if (engine === "postgres") {
      const postgres = test_postgres(t);
      if (!postgres) return;
      environment.BASALT_DATABASE_URI = postgres.uri;
    }
    const data_directory = scratch_directory();
    t.after(() => rmSync(data_directory, { recursive: true, force: true }));
    const server_of = (name) => {
      const server = new Server({ name, data_directory, environment, keep: true });
      t.after(() => server.close());
      return server.start();
    };
    const older = await server_of("basalt");
    await older.set_up();
    const newer = await server_of("basalt-next");
    const browser = await open_browser(t);
    const page = await browser.page(newer);
    await sign_in(page);

    // While the older one serves the page says which it is.
    const waiting = page.getByRole("region", { name: "Waiting to be finalised" });
    const dialog = page.getByRole("dialog");
    await waiting.getByText("Allow snippets of one name").waitFor();
    await waiting.getByRole("button", { name: "Finalise now" }).click();
    await dialog.getByText(/^Still on an older version: .*0\.1\.0/).waitFor();
    await picture(page, `${engine}-updates-finalise-older`);
    await dialog.getByRole("button", { name: "Cancel" }).click();

    // Without it nobody needs to wait for the bake time to pass.
    assert.equal((await older.stop()).code, 0);
    await page.reload();
    await waiting.getByRole("button", { name: "Finalise now" }).click();
    await dialog.getByText("No older node is live.").waitFor();
    await picture(page, `${engine}-updates-finalise`);
    await dialog.getByRole("button", { name: "Finalise now" }).click();
    await page.getByText(/^Finalised schema 4/).waitFor({ timeout: 60_000 });
    await page.getByText(/Nothing is left to do/).waitFor();
    await waiting.waitFor({ state: "detached" });
    await picture(page, `${engine}-updates-finalised`);
    newer.session = await newer.sign_in();
    const { body } = await newer.get("/api/basalt/updates");
    assert.equal(body.level, 4);
    assert.deepEqual(body.pending, []);
    await page.getByRole("link", { name: "History" }).first().click();
    await page.getByText("finalised", { exact: true }).first().waitFor();
    assert.deepEqual(page.problems, []);
  });

test("two pieces of work at once are refused, and the confirmation is asked on the server as well", async (t) => {
  const server = new Server({});
  t.after(() => server.close());
  await server.start();
  await server.set_up();
  // Started together: one of them finds the other at work.
  const answers = await Promise.all(Array.from({ length: 6 }, () => server.post("/api/basalt/backup", { in_background: true })));
  const statuses = answers.map((answer) => answer.status);
  assert.ok(statuses.includes(202), String(statuses));
  assert.ok(statuses.includes(409), String(statuses));
  assert.match(answers.find((answer) => answer.status === 409).body.message, /one thing is done at a time/);
  const work = await eventually(async () => {
    const { body } = await server.get("/api/basalt/updates/progress");
    return body.work.state !== "running" && body.work;
  }, { what: "the backup's end" });
  assert.equal(work.state, "done");
  assert.equal(work.kind, "backup");
  const { body: state } = await server.get("/api/basalt/updates");
  const backup = state.backups[0];
  for (const confirm of [undefined, "", "restore", "Another site"]) {
    const refused = await server.post("/api/basalt/backup/restore", { id: backup.id, confirm });
    assert.equal(refused.status, 400, String(confirm));
    assert.ok(refused.body.errors.confirm);
  }
  assert.equal((await server.post("/api/basalt/backup/verify", { id: "no-such" })).status, 404);
  assert.equal((await server.get("/api/basalt/backup/no-such/file")).status, 404);
  assert.equal((await server.get("/api/basalt/backup/..%2F..%2Fetc%2Fpasswd/file")).status, 404);
  // A file that is no backup is not taken in; the same backup is not taken in twice.
  const file = await fetch(`${server.url}/api/basalt/backup/${backup.id}/file`, { headers: { "x-metabase-session": server.session } });
  const bytes = Buffer.from(await file.arrayBuffer());
  assert.equal(bytes.length, backup.bytes);
  const send = (body) => fetch(`${server.url}/api/basalt/backup/file`, { method: "POST", headers: { "x-metabase-session": server.session, "content-type": "application/octet-stream" }, body });
  assert.equal((await send("no backup at all")).status, 400);
  assert.equal((await send(bytes)).status, 409);
  bytes[bytes.length >> 1] ^= 0x55;
  assert.ok([400, 409].includes((await send(bytes)).status), "a damaged file is refused");
  assert.equal((await server.get("/api/basalt/updates")).body.backups.length, state.backups.length);
});
