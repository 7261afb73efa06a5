import assert from 'node:assert/strict';

// Each flow starts signed in, at any page, and leaves nothing behind that another one stumbles over.

const unique = () => Math.random().toString(36).slice(2, 8);
const menu = (page, name) => page.getByRole('menuitem', { name, exact: true });
const row = (page, name) => page.getByRole('row').filter({ hasText: name });

async function new_collection(page, base, name) {
  await page.goto(`${base}/collection/root`);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await menu(page, 'Collection').click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Create collection' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

export const flows = {
  async 'collection, from making it to deleting it'({ page, base, axe }) {
    const name = `Stock ${unique()}`;
    await new_collection(page, base, name);
    await page.getByRole('button', { name: 'Add a line that says what belongs here' }).click();
    await page.getByRole('textbox', { name: 'What belongs in the collection' }).fill('What lies where');
    await page.keyboard.press('Enter');
    await page.reload();
    await page.getByText('What lies where').waitFor();
    await page.getByRole('heading', { level: 1 }).getByRole('button').click();
    await page.getByRole('textbox', { name: 'Name of the collection' }).fill(`${name} two`);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Places' }).getByText(`${name} two`).waitFor();

    await page.goto(`${base}/collection/root`);
    await row(page, `${name} two`).getByRole('checkbox').check();
    await page.getByRole('toolbar').waitFor();
    await axe('bulk bar');
    await page.getByRole('toolbar').getByRole('button', { name: 'Move to trash' }).click();
    await page.getByText('is in the trash.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row(page, `${name} two`).waitFor();
    await row(page, `${name} two`).getByRole('button').click();
    await menu(page, 'Move to trash').click();
    await row(page, `${name} two`).waitFor({ state: 'detached' });

    await page.goto(`${base}/trash`);
    await row(page, `${name} two`).getByRole('button').click();
    await menu(page, 'Delete for good').click();
    await axe('delete dialog');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await row(page, `${name} two`).waitFor({ state: 'detached' });
  },

  async 'moving a question and back'({ page, base }) {
    const name = `Target ${unique()}`;
    await new_collection(page, base, name);
    await page.goto(`${base}/collection/1`);
    await row(page, 'Best sellers').getByRole('button').click();
    await menu(page, 'Move').click();
    await page.getByRole('dialog').getByRole('radio', { name }).click();
    await page.getByRole('dialog').getByRole('button', { name: /^Choose/ }).click();
    await row(page, 'Best sellers').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row(page, 'Best sellers').waitFor();
    await page.goto(`${base}/collection/root`);
    await row(page, name).getByRole('button').click();
    await menu(page, 'Move to trash').click();
    await row(page, name).waitFor({ state: 'detached' });
  },

  async 'pin, bookmark, duplicate'({ page, base }) {
    await page.goto(`${base}/collection/1`);
    await row(page, 'Net revenue by month').getByRole('button').click();
    await menu(page, 'Bookmark').click();
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Net revenue by month' }).waitFor();
    await row(page, 'Net revenue by month').getByRole('button').click();
    await menu(page, 'Remove the bookmark').click();
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Net revenue by month' }).waitFor({ state: 'detached' });
    await row(page, 'Net revenue by month').getByRole('button').click();
    await menu(page, 'Pin').click();
    const pinned = page.getByRole('article').filter({ hasText: 'Net revenue by month' });
    await pinned.waitFor();
    await pinned.hover();
    await pinned.getByRole('button', { name: /What to do/ }).click();
    await menu(page, 'Unpin').click();
    await row(page, 'Net revenue by month').getByRole('button').click();
    await menu(page, 'Duplicate').click();
    const copy = page.getByRole('row').filter({ has: page.getByRole('link', { name: /copy|duplicate/i }) });
    await copy.first().waitFor();
    await copy.first().getByRole('button').click();
    await menu(page, 'Move to trash').click();
    await copy.first().waitFor({ state: 'detached' });
  },

  async 'palette and keys'({ page, base, axe }) {
    await page.goto(base);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search and do' }).fill('sales over');
    await page.getByRole('option', { name: /Sales overview/ }).first().waitFor();
    await axe('palette');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/dashboard\/1/);
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.waitForURL(/\/browse\/databases/);
    await page.getByRole('heading', { level: 1, name: 'Databases' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await axe('keys');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
    await page.keyboard.press('[');
    await page.getByRole('navigation', { name: 'Places' }).waitFor({ state: 'detached' });
    await page.keyboard.press('[');
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
  },

  async 'a person: added, in a group, password renewed, deactivated, back'({ page, base }) {
    const name = `Tomas${unique()}`;
    await page.goto(`${base}/admin/people/groups`);
    const group = `Team ${unique()}`;
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Name of the group').fill(group);
    await page.getByRole('button', { name: 'Create group' }).click();
    await row(page, group).waitFor();
    await page.goto(`${base}/admin/people`);
    await page.getByRole('button', { name: 'Add a person' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('First name').fill(name);
    await dialog.getByLabel('E-mail').fill(`${name.toLowerCase()}@fernhill.example`);
    await dialog.getByLabel(/Groups besides/).click();
    await page.getByRole('option', { name: group }).click();
    await dialog.getByLabel('First name').click();
    await dialog.getByRole('button', { name: 'Add person' }).click();
    const secret = page.getByRole('dialog', { name: /A password for/ }).locator('code');
    await secret.waitFor();
    const password = await secret.textContent();
    assert.match(password ?? '', /^[\w]{4}(-[\w]{4}){3}$/);
    await page.getByRole('button', { name: 'Done' }).click();
    await row(page, name).filter({ hasText: group }).waitFor();

    // The password works, and such a person sees no administration.
    const other = await page.context().browser().newContext();
    const second = await other.newPage();
    await second.goto(`${base}/auth/login?redirect=/browse/databases`);
    await second.getByLabel('E-mail').fill(`${name.toLowerCase()}@fernhill.example`);
    await second.getByLabel('Password', { exact: true }).fill(password ?? '');
    await second.getByRole('button', { name: 'Sign in' }).click();
    await second.waitForURL((url) => url.pathname === '/browse/databases');
    await second.goto(`${base}/admin/people`);
    await second.waitForURL((url) => url.pathname === '/');
    await other.close();

    await row(page, name).getByRole('button').last().click();
    await menu(page, 'Deactivate').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
    await row(page, name).waitFor({ state: 'detached' });
    await page.getByText('Deactivated', { exact: true }).click();
    await row(page, name).getByRole('button').last().click();
    await menu(page, 'Reactivate').click();
    await row(page, name).waitFor({ state: 'detached' });
    await page.goto(`${base}/admin/people/groups`);
    await row(page, group).getByRole('button').last().click();
    await menu(page, 'Delete').click();
    await page.getByRole('button', { name: 'Delete group' }).click();
    await row(page, group).waitFor({ state: 'detached' });
  },

  async 'settings are saved on leaving the field'({ page, base }) {
    const name = `Fernhill ${unique()}`;
    await page.goto(`${base}/admin/settings/general`);
    await page.getByLabel('Name of this site').fill(name);
    await page.getByLabel('Whom to ask for help').focus();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.reload();
    assert.equal(await page.getByLabel('Name of this site').inputValue(), name);
    const link = page.getByRole('switch', { name: 'Public links' });
    const before = await link.isChecked();
    await link.evaluate((element) => element.click());
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.reload();
    assert.equal(await link.isChecked(), !before);
    await link.evaluate((element) => element.click());
    await page.getByText('Saved', { exact: true }).waitFor();
  },

  async 'permissions: a table taken away and given back'({ page, base }) {
    await page.goto(`${base}/admin/permissions/data`);
    await page.getByRole('button', { name: /^Schemas and tables of/ }).first().click();
    const cell = page.getByRole('button', { name: /^All Users in Reviews:/ });
    await cell.click();
    await menu(page, 'No').click();
    await page.getByRole('button', { name: 'Save permissions' }).click();
    await page.getByText('Permissions saved.').waitFor();
    await page.reload();
    await page.getByRole('button', { name: /^All Users in .*Table by table/ }).waitFor();
    await page.getByRole('button', { name: /^All Users in .*Table by table/ }).click();
    await menu(page, 'With the builder and SQL').click();
    await page.getByRole('button', { name: 'Save permissions' }).click();
    await page.getByText('Permissions saved.').waitFor();
    await page.goto(`${base}/admin/permissions/collections`);
    const collection = page.getByRole('button', { name: /^All Users in Sample:/ });
    await collection.click();
    await menu(page, 'See').click();
    await page.getByText('1 change is not saved').waitFor();
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor();
    await page.getByRole('button', { name: 'Stay here' }).click();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByText('1 change is not saved').waitFor({ state: 'detached' });
  },

  async 'a key for programs'({ page, base }) {
    const name = `dbt ${unique()}`;
    await page.goto(`${base}/admin/api-keys`);
    await page.getByRole('button', { name: 'New key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Group').click();
    await page.getByRole('option', { name: 'All Users' }).click();
    await dialog.getByRole('button', { name: 'Create key' }).click();
    const key = await page.getByRole('dialog', { name: /The key/ }).locator('code').textContent();
    const answer = await fetch(`${base}/api/user/current`, { headers: { 'x-api-key': key } });
    assert.equal(answer.status, 200);
    await page.getByRole('button', { name: 'Done' }).click();
    await row(page, name).getByRole('button').click();
    await menu(page, 'Delete').click();
    await page.getByRole('button', { name: 'Delete key' }).click();
    await row(page, name).waitFor({ state: 'detached' });
    assert.equal((await fetch(`${base}/api/user/current`, { headers: { 'x-api-key': key } })).status, 401);
  },

  async 'a database: refused, then deleted by its name'({ page, base }) {
    await page.goto(`${base}/admin/databases/create`);
    await page.getByText('SQLite').click();
    await page.getByRole('button', { name: 'Add database' }).click();
    await page.getByText('Please fill this in.').first().waitFor();
    await page.getByLabel('Name in Basalt').fill('Nowhere');
    await page.getByLabel('Filename').fill('/nowhere/at/all.sqlite');
    await page.getByRole('button', { name: 'Test connection' }).click();
    await page.getByText(/No connection/).waitFor();
    await page.goto(`${base}/admin/databases`);
    await page.getByRole('button', { name: /^What to do with Sample Database/ }).click();
    await menu(page, 'Delete…').click();
    await page.getByLabel(/to confirm/).fill('sample');
    assert.equal(await page.getByRole('button', { name: 'Delete database' }).isDisabled(), true);
    await page.keyboard.press('Escape');
  },

  async 'a backup, made and checked'({ page, base }) {
    await page.goto(`${base}/admin/updates`);
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByText(/The backup is made and checked/).waitFor({ timeout: 30_000 });
    await page.getByRole('cell', { name: /Today/ }).first().waitFor();
  },

  async 'signing out and in again, back to the page one wanted'({ page, base, email, password }) {
    const own = await page.context().browser().newContext();
    const second = await own.newPage();
    await second.goto(`${base}/account/profile`);
    await second.waitForURL(/redirect=%2Faccount%2Fprofile/);
    await second.getByLabel('E-mail').fill(email);
    await second.getByLabel('Password', { exact: true }).fill('not this one 1');
    await second.getByRole('button', { name: 'Sign in' }).click();
    await second.getByText('E-mail and password do not match.').waitFor();
    await second.getByLabel('Password', { exact: true }).fill(password);
    await second.getByRole('button', { name: 'Sign in' }).click();
    await second.waitForURL((url) => url.pathname === '/account/profile');
    await second.getByRole('button', { name: /^Your account/ }).click();
    await menu(second, 'Sign out').click();
    await second.waitForURL(/\/auth\/login/);
    await own.close();
  },
};
