/** The page in a browser, before a real mirror under load: a proxy, two versions of a service, a comparison, a dashboard. */
import { existsSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stopAll } from '../../doubletake/test/support/mirror.ts';
import { seriousFindings, useBrowser } from './support/browser.ts';
import { ensureBuilt } from './support/built-page.ts';
import { type Shop, startShop } from './support/shop.ts';

// A machine that is busy takes its time.
vi.setConfig({ testTimeout: 120_000 });
const patient = { timeout: 30_000 };

let shop: Shop;

beforeAll(async () => {
  ensureBuilt();
  shop = await startShop();
}, 60_000);
afterAll(async () => {
  await shop.close();
  await stopAll();
});
const browser = useBrowser();

/** A number that stands in an element, `12,345` or `1.2 %`. */
async function figure(page: Page, selector: string): Promise<number> {
  return Number((await page.locator(selector).first().textContent())?.replaceAll(',', '').match(/[\d.]+/)?.[0] ?? Number.NaN);
}

async function verdictOf(page: Page): Promise<string | null> {
  return page.getByRole('region', { name: 'Verdict' }).getByRole('heading', { level: 2 }).textContent();
}

test('the verdict comes by itself while one looks on, numbers grow and add up', async () => {
  const page = await browser.open(shop.origin, '/');
  const captured = 'li:has(h3:text("requests")) .stage .row b';
  const before = await figure(page, captured);
  await expect.poll(() => figure(page, captured), patient).toBeGreaterThan(before + 50);
  await expect.poll(() => verdictOf(page), patient).toContain('REGRESSION');
  await page.getByText('live', { exact: true }).waitFor();
  expect(await page.getByText('does not add up').count()).toBe(0);
  expect(await page.locator('.flow .stage').count()).toBe(2);
  expect(await page.title()).toMatch(/^REGRESSION/);
  expect(await page.locator('.chart canvas').count()).toBe(6);
  expect(await figure(page, '.chart [data-line="captured"]')).toBeGreaterThan(0);
  expect(await page.getByRole('img', { name: /^Latency p50 .* production [\d.]+ ms, candidate [\d.]+ ms$/ }).count()).toBe(1);
  expect(await seriousFindings(page)).toEqual([]);
});

test('from an endpoint to its difference, side by side, to a request, and that request is sent again', async () => {
  const page = await browser.open(shop.origin, '/endpoints');
  await page.getByRole('table', { name: 'Endpoints' }).getByRole('link', { name: 'GET /prices/{id}' }).click();
  await page.getByRole('table', { name: 'Differences' }).getByRole('link', { name: '$.price' }).click();
  await page.locator('.sides tr.is-counts').first().waitFor();
  const marked = await page.locator('.sides tr.is-counts').allTextContents();
  expect(marked.join()).toContain('"price"');
  expect(marked.join()).not.toContain('"product"');
  await page.getByRole('link', { name: /^request / }).click();
  await page.getByRole('heading', { name: /GET \/prices\/\d+/ }).waitFor();
  await page.getByRole('button', { name: 'Replay to candidate now' }).click();
  await page.getByRole('columnheader', { name: 'Now' }).first().waitFor();
  expect(await page.locator('.sides:not(.header-table)').last().textContent()).toContain('price');
});

test('a rule is looked at before it is saved; then the difference goes, and the rule stands in the file until it is removed', async () => {
  const page = await browser.open(shop.origin, '/differences?endpoint=GET+%2Fprices%2F%7Bid%7D');
  await page.getByRole('table', { name: 'Differences' }).getByRole('link', { name: '$.price' }).click();
  await page.getByRole('button', { name: 'Ignore by rule' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('prices of the test');
  await dialog.getByText('still differ').waitFor();
  const save = dialog.getByRole('button', { name: 'Save the rule' });
  await expect.poll(() => save.getAttribute('aria-disabled'), patient).toBeNull();
  await save.click();
  await page.getByRole('status').getByText('is saved').waitFor();
  expect(readFileSync(shop.rulesFile, 'utf8')).toContain('prices of the test');
  const listed = page.getByRole('table', { name: 'Differences' }).getByRole('link');
  await listed.filter({ hasText: '/prices/' }).filter({ hasText: '$.price' }).waitFor({ state: 'detached' });
  expect(await listed.count()).toBeGreaterThan(2);
  await page.getByRole('button', { name: 'Rules and accepted' }).click();
  await page.getByRole('listitem').filter({ hasText: 'prices of the test' }).getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('status').getByText('is removed').waitFor();
  expect(existsSync(shop.rulesFile) ? readFileSync(shop.rulesFile, 'utf8') : '').not.toContain('prices of the test');
});

test('a difference is accepted with a note, and counts again when that is taken back', async () => {
  const page = await browser.open(shop.origin, '/differences');
  await page.getByRole('table', { name: 'Differences' }).getByRole('link', { name: '$.customerId' }).click();
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('dialog').getByLabel('Why').fill('ids become text');
  await page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('button', { name: 'Count it again' }).click();
  await page.getByRole('button', { name: 'Accept' }).waitFor();
});

test('requests are found by what is known of them, while new ones come', async () => {
  const page = await browser.open(shop.origin, '/requests?path=%2Fstock%2F*');
  const table = page.getByRole('table', { name: 'Requests' });
  await table.getByRole('link').first().waitFor();
  expect((await table.locator('.request-target').allTextContents()).filter((target) => !target.startsWith('GET /stock/'))).toEqual([]);
  await page.getByLabel('Outcome').selectOption('differs');
  await expect.poll(async () => (await table.getByRole('row').allTextContents()).slice(1).every((row) => row.includes('differs')), patient).toBe(true);
  await page.getByLabel('Outcome').selectOption('');
  const newest = await table.getByRole('link').first().textContent();
  await expect.poll(() => table.getByRole('link').first().textContent(), patient).not.toBe(newest);
});

test('traffic shows its source; control stops replay, sets a share, and says who did it', async () => {
  const page = await browser.open(shop.origin, '/traffic');
  await page.getByRole('heading', { name: /^proxy/ }).waitFor();
  await page.getByRole('link', { name: 'Control' }).click();
  await page.getByRole('button', { name: 'Stop all replay' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop all replay' }).click();
  await page.getByText('All replay is stopped by hand.').waitFor();
  await page.getByRole('button', { name: 'Let replay go on' }).click();
  await page.getByText('All replay is stopped by hand.').waitFor({ state: 'detached' });
  await page.getByLabel('Share of candidate in percent').fill('40');
  await page.getByRole('button', { name: 'Set 40 %' }).click();
  await page.getByText('40 %, by hand').waitFor();
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByRole('button', { name: 'Give it back to its configuration' }).click();
  await page.getByText('is 100 %').waitFor();
  await expect.poll(() => page.locator('.changes li').count(), patient).toBeGreaterThan(5);
  expect(await page.locator('.changes li').first().textContent()).toContain('operator');
});

test('a mirror that goes is missed, and when it is back so is the page, without a hand', async () => {
  const page = await browser.open(shop.origin, '/', { width: 390 });
  await page.getByText('live', { exact: true }).waitFor();
  await shop.stopMirror();
  await page.getByText('Connection lost, trying again.').waitFor();
  await shop.startMirror();
  await page.getByText('Connection lost, trying again.').waitFor({ state: 'detached', timeout: 20_000 });
  await page.getByText('live', { exact: true }).waitFor();
  await expect.poll(() => figure(page, 'li:has(h3:text("requests")) .stage .row b'), patient).toBeGreaterThan(0);
  browser.complaints();
});
