import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { flows } from './flows.mjs';

const base = (process.argv[2] ?? 'http://127.0.0.1:3000').replace(/\/$/, '');
const only = process.argv[3];
const email = process.env.BASALT_EMAIL ?? 'mara@fernhill.example';
const password = process.env.BASALT_PASSWORD ?? 'basalt-1-rocks';
const problems = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** Everything a page says in the console or refuses to load is a problem, unless `expected` knows it. */
function listen(page, where, expected = () => false) {
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected(message.text())) problems.push(`${where}: console: ${message.text().slice(0, 200)}`);
  });
  page.on('pageerror', (error) => problems.push(`${where}: ${String(error).slice(0, 200)}`));
}

async function axe(page, where) {
  const result = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze();
  for (const violation of result.violations) {
    for (const node of violation.nodes.slice(0, 3)) problems.push(`${where}: ${violation.id}: ${node.target.join(' ')}: ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? violation.help}`);
  }
}

async function overflow(page, where) {
  const more = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (more > 0) problems.push(`${where}: ${more} px wider than the screen`);
}

const shapes = [
  ['light', { width: 1440, height: 900 }],
  ['dark', { width: 1440, height: 900 }],
  ['light', { width: 390, height: 844 }],
  ['dark', { width: 390, height: 844 }],
];

async function look(state, name, path, ready) {
  const wanted = process.env.LOOK?.split(',');
  for (const [theme, viewport] of shapes) {
    if (wanted && !wanted.includes(`${theme}-${viewport.width}`)) continue;
    const where = `${name} ${theme} ${viewport.width}`;
    const context = await browser.newContext({ viewport, storageState: state, reducedMotion: 'reduce' });
    await context.addInitScript((value) => localStorage.setItem('basalt.theme', value), theme);
    const page = await context.newPage();
    listen(page, where, (text) => !state && text.includes('401'));
    await page.goto(base + path);
    await page.locator(ready ?? 'h1').first().waitFor({ timeout: 10_000 }).catch(() => problems.push(`${where}: never got ready`));
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await axe(page, where);
    await overflow(page, where);
    await context.close();
    if (process.env.VERBOSE) console.log(where, problems.length);
  }
}

// --- a fresh server is set up, any other is signed in to --------------------------------------------------------------
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
listen(page, 'start', (text) => text.includes('401'));
await page.goto(`${base}/`, { waitUntil: 'networkidle' });
if (page.url().endsWith('/setup')) {
  if (!only) await look(undefined, 'set-up', '/setup');
  await page.getByLabel('First name').fill('Mara');
  await page.getByLabel('Last name').fill('Lindqvist');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByLabel('Password again').fill(password);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByLabel('Name of this site').fill('Fernhill Home');
  await page.getByRole('button', { name: 'Create the administrator' }).click();
  await page.getByText('Step 3 of 3').waitFor();
  await page.getByRole('radiogroup').waitFor();
  await axe(page, 'set-up, step 3');
  await page.getByRole('button', { name: 'Later' }).click();
} else {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
await page.getByRole('navigation', { name: 'Places' }).waitFor();
const state = await context.storageState();

const pages = [
  ['home', '/'],
  ['databases', '/browse/databases'],
  ['tables', '/browse/databases/1'],
  ['models', '/browse/models'],
  ['metrics', '/browse/metrics'],
  ['root collection', '/collection/root'],
  ['collection', '/collection/1'],
  ['trash', '/trash'],
  ['search', '/search?q=sales'],
  ['account', '/account/profile'],
  ['dashboard', '/dashboard/1'],
  ['question', '/question/1'],
  ['builder', '/question/notebook', 'main'],
  ['sql', '/question/native', 'main'],
  ['admin settings', '/admin/settings/general'],
  ['admin sign-in', '/admin/settings/auth'],
  ['admin keys', '/admin/api-keys'],
  ['admin databases', '/admin/databases'],
  ['admin database', '/admin/databases/1'],
  ['admin new database', '/admin/databases/create'],
  ['admin people', '/admin/people'],
  ['admin groups', '/admin/people/groups'],
  ['admin data permissions', '/admin/permissions/data'],
  ['admin collection permissions', '/admin/permissions/collections'],
  ['admin updates', '/admin/updates'],
  ['nothing there', '/nowhere'],
];
if (!only || only === 'pages') {
  await look(undefined, 'sign-in', '/auth/login');
  for (const [name, path, ready] of pages) await look(state, name, path, ready);
}

// --- what people do -----------------------------------------------------------------------------------------------------
for (const [name, run] of Object.entries(flows)) {
  if (only && only !== name && only !== 'flows') continue;
  const flow_context = await browser.newContext({ viewport: { width: 1440, height: 900 }, storageState: state, reducedMotion: 'reduce' });
  const flow_page = await flow_context.newPage();
  flow_page.setDefaultTimeout(8000);
  listen(flow_page, name, (text) => text.includes('401'));
  try {
    await run({ page: flow_page, base, email, password, axe: (where) => axe(flow_page, where) });
    console.log(`ok   ${name}`);
  } catch (error) {
    problems.push(`${name}: ${String(error.message ?? error).split('\n').slice(0, 3).join(' ')}`);
    console.log(`FAIL ${name}`);
    if (process.env.SHOTS) await flow_page.screenshot({ path: `${process.env.SHOTS}/flow-${name.replaceAll(' ', '-')}.png` });
  }
  await flow_context.close();
}
await browser.close();

const unique = [...new Set(problems)];
for (const problem of unique) console.log(problem);
console.log(unique.length === 0 ? 'No problems.' : `${unique.length} problems.`);
process.exitCode = unique.length === 0 ? 0 : 1;
