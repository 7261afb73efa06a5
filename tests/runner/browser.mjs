// Chromium for the tests, driven by Playwright.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { root } from "./server.mjs";

const require = createRequire(join(root, "web/package.json"));

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// A browser that closes with the test; page errors and console errors fail it at the end (`page.problems`).
export async function open_browser(t) {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath: process.env.BASALT_TEST_CHROMIUM ?? "/usr/bin/chromium", args: flags });
  t.after(() => browser.close());
  return {
    async page(server, { width = 1440, height = 900, scheme = "light" } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, baseURL: server.url, reducedMotion: "reduce" });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      page.problems = [];
      page.on("pageerror", (error) => page.problems.push(String(error)));
      return page;
    },
  };
}

// A picture for people to look at, when BASALT_TEST_PICTURES names a folder.
export async function picture(page, name) {
  const folder = process.env.BASALT_TEST_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
