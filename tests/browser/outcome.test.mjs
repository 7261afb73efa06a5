// What Basalt is for, in a real browser: set up, connect PostgreSQL, click together a question, save it, put it on a dashboard;
// swap the binary for a later one; step down; and everything is still there. On both engines of the application database.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";

import { open_browser, picture } from "../runner/browser.mjs";
import { eventually, run_command, scratch_directory, Server, test_postgres } from "../runner/server.mjs";

const shop = `
create table customer (id integer primary key, name text not null, city text);
create table sale (id integer primary key, customer_id integer references customer (id), amount numeric(10,2), made_at timestamp);
insert into customer select g, 'Customer ' || g, case when g % 2 = 0 then 'Oslo' else 'Bergen' end from generate_series(1, 20) g;
insert into sale select g, 1 + g % 20, g * 1.5, timestamp '2026-01-01' + g * interval '1 day' from generate_series(1, 200) g;
`;
const password = "Quarry-4-columns";

async function sign_in(page) {
  await page.goto("/auth/login");
  await page.getByLabel("E-mail").fill("mara@example.com");
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/auth"));
}

async function set_up(page, details) {
  await page.goto("/");
  await page.getByLabel("First name").fill("Mara");
  await page.getByLabel("Last name").fill("Lindqvist");
  await page.getByLabel("E-mail").fill("mara@example.com");
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(password);
  await page.getByRole("textbox", { name: "Password again" }).fill(password);
  await picture(page, "setup");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByLabel("Name of this site").fill("Fernhill");
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await page.getByText("PostgreSQL", { exact: true }).click();
  await page.getByLabel("Name in Basalt").fill("Shop");
  await page.getByLabel("Host").fill(details.host);
  await page.getByLabel("Port").fill(String(details.port));
  await page.getByLabel("Database name").fill(details.dbname);
  await page.getByLabel("Username").fill(details.user);
  await page.getByRole("button", { name: "Test connection" }).click();
  await page.getByText("The database answered").waitFor();
  await page.getByRole("button", { name: "Use this data" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/setup"));
}

// Orders per month, clicked together in the builder, saved as `name`.
async function ask(page, name) {
  await page.goto("/question/notebook");
  const choose = page.getByRole("button", { name: "Choose your data" });
  if ((await choose.getAttribute("aria-expanded")) !== "true") await choose.click();
  await page.getByRole("combobox", { name: "Find data" }).fill("Sale");
  await page.getByRole("option", { name: "Sale", exact: true }).click();
  await page.getByRole("button", { name: "Summarize", exact: true }).click();
  await page.getByRole("option", { name: /^Count/ }).first().click();
  await page.getByRole("button", { name: /group/i }).first().click();
  await page.getByRole("option", { name: /Made At/ }).first().click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Visualize" }).click();
  await page.waitForURL(/\/question/);
  await page.getByText(/\d+ rows?/).first().waitFor();
  await picture(page, "question");
  await page.getByRole("button", { name: /^Save/ }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: /^Save/ }).click();
  await page.waitForURL(/\/question\/\d+/);
}

// A new dashboard with the question on it, saved.
async function new_dashboard(page, name, question) {
  await page.goto("/");
  await page.getByRole("button", { name: "New", exact: true }).click();
  await page.getByRole("menuitem", { name: "Dashboard", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: /^Create/ }).click();
  await page.waitForURL(/\/dashboard\/\d+/);
  await page.getByRole("button", { name: /^Add a (card|chart)$/ }).first().click();
  const drawer = page.getByRole("complementary", { name: "Add a chart" });
  await drawer.getByRole("button", { name: question }).click();
  await page.getByRole("toolbar").getByRole("button", { name: "Save dashboard" }).click();
  await shows_dashboard(page, name, question);
}

// The dashboard in front of us shows the question with its answer.
async function shows_dashboard(page, name, question) {
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.getByRole("group", { name: new RegExp(`^${question}\\..*Made At`) }).or(page.getByRole("img", { name: new RegExp(question) })).first().waitFor();
}

async function open_from_collection(page, name) {
  await page.goto("/collection/root");
  await page.getByRole("link", { name: new RegExp(name) }).first().click();
}

for (const engine of ["sqlite", "postgres"]) {
  test(`${engine}: from an empty machine to a dashboard, through an upgrade and back`, async (t) => {
    const data = test_postgres(t);
    if (!data) return;
    data.query(shop);
    const environment = { MB_LOAD_SAMPLE_CONTENT: "false" };
    if (engine === "postgres") environment.BASALT_DATABASE_URI = test_postgres(t).uri;
    const data_directory = scratch_directory();
    t.after(() => rmSync(data_directory, { recursive: true, force: true }));
    const browser = await open_browser(t);
    const start = async (name) => {
      const server = new Server({ name, data_directory, environment, keep: true });
      t.after(() => server.close());
      return server.start();
    };

    const first = await start("basalt");
    let page = await browser.page(first);
    await set_up(page, data.details);
    await eventually(async () => {
      first.session ??= await first.sign_in("mara@example.com", password);
      const { body } = await first.get("/api/database");
      return body.data[0]?.initial_sync_status === "complete";
    }, { what: "the first sync" });
    await ask(page, "Sales by month");
    await new_dashboard(page, "Shop board", "Sales by month");
    await picture(page, `${engine}-dashboard`);
    assert.deepEqual(page.problems, []);
    assert.equal((await first.stop()).code, 0);

    // The binary is swapped for a later one: everything is there, and the administrator sees how it went.
    const later = await start("basalt-next");
    page = await browser.page(later);
    await sign_in(page);
    await open_from_collection(page, "Shop board");
    await shows_dashboard(page, "Shop board", "Sales by month");
    await ask(page, "Made on the later one");
    await page.goto("/admin/updates");
    await page.getByText("0.2.0").first().waitFor();
    await picture(page, `${engine}-updates`);
    assert.deepEqual(page.problems, []);
    assert.equal((await later.stop()).code, 0);

    // And back: the older binary steps the data down and runs with what was made since.
    const down = run_command(["migrate", "down", "--to-version", "0.1.0", "--data-dir", data_directory], { name: "basalt-next", environment });
    assert.equal(down.code, 0, down.err + down.out);
    const older = await start("basalt");
    page = await browser.page(older);
    await sign_in(page);
    await open_from_collection(page, "Made on the later one");
    await page.getByRole("heading", { level: 1, name: "Made on the later one" }).waitFor();
    await page.getByText(/\d+ rows?/).first().waitFor();
    await open_from_collection(page, "Shop board");
    await shows_dashboard(page, "Shop board", "Sales by month");
    assert.deepEqual(page.problems, []);
    await older.stop();
  });
}
