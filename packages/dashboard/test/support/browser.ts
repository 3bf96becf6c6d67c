/**
 * One Chromium for the tests of a file, from where Debian puts it:
 *
 *     const browser = useBrowser();
 *     const page = await browser.open(server.address, '/endpoints', { width: 390, dark: true });
 *
 * Where there is none the tests are skipped. What a page says on its console that is wrong fails the test.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';

const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Look {
  width?: number;
  dark?: boolean;
  /** Keeps the page from following the system's wish for less motion. */
  motion?: boolean;
}

export interface TestBrowser {
  /** A window of its own, with cookies of its own. `complaints` may be expected where a test provokes them. */
  open(origin: string, path: string, look?: Look): Promise<Page>;
  /** What pages have complained of so far; empties the list. */
  complaints(): string[];
}

export function useBrowser(): TestBrowser {
  let browser: Browser | null = null;
  let contexts: BrowserContext[] = [];
  let complaints: string[] = [];

  beforeAll(async () => {
    if (existsSync(chromiumPath)) browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
    else process.stderr.write(`skipped: the dashboard is not tried in a browser: there is no ${chromiumPath} (apt-get install chromium)\n`);
  }, 60_000);
  beforeEach((context) => context.skip(browser === null, `there is no ${chromiumPath}`));
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());

  return {
    async open(origin, path, { width = 1_280, dark = false, motion = false } = {}) {
      if (browser === null) throw new Error('there is no browser');
      const context = await browser.newContext({
        viewport: { width, height: width < 600 ? 844 : 800 },
        hasTouch: width < 600,
        colorScheme: dark ? 'dark' : 'light',
        reducedMotion: motion ? 'no-preference' : 'reduce',
        acceptDownloads: true,
      });
      contexts.push(context);
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(origin).origin });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
      page.on('request', (request) => {
        const { origin: to, protocol } = new URL(request.url());
        if (to !== new URL(origin).origin && protocol !== 'data:' && protocol !== 'blob:') complaints.push(`asked ${request.url()}`);
      });
      await page.goto(new URL(path, origin).href);
      return page;
    },
    complaints: () => complaints.splice(0),
  };
}

/** What axe finds to be serious or critical; empty when all is well. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate(() => (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({ resultTypes: ['violations'] }));
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ''}`));
}

/** How much wider the document is than the window, in pixels; 0 when nothing sticks out. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
