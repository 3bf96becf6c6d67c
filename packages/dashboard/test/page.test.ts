/** The page in a browser, over plain data that the real server answers with. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { plainBackend } from '../../doubletake/test/support/dashboard-backend.ts';
import { overhang, seriousFindings, useBrowser } from './support/browser.ts';
import { ensureBuilt } from './support/built-page.ts';
import { showData, type ShownData } from './support/dashboard.ts';
import { largeReport } from './support/large-run.ts';

// A machine that is busy takes its time.
vi.setConfig({ testTimeout: 120_000 });
const patient = { timeout: 15_000 };

const servers: ShownData[] = [];

beforeAll(ensureBuilt);
// After its pages, which would complain.
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
const browser = useBrowser();

async function show(...args: Parameters<typeof showData>): Promise<ShownData> {
  const server = await showData(...args);
  servers.push(server);
  return server;
}

function rows(page: Page): Promise<number> {
  return page.locator('.table-body [role=row]').count();
}

/** Cards leave it to screen readers. */
function headIsSeen(page: Page): Promise<boolean> {
  return page.locator('.table-head').evaluate(({ clientHeight }) => clientHeight > 1);
}

async function said(page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole('status').getByText(text).waitFor();
}

const views: readonly (readonly [path: string, seen: string])[] = [
  ['/', 'From packets to outcomes'],
  ['/endpoints', 'GET /users/{id}'],
  ['/differences', 'the field is gone'],
  ['/differences/c1', 'Example'],
  ['/differences?rules=shown', 'What does not count'],
  ['/requests', '/users/4711'],
  ['/requests/dt-7f3a-000012', 'Both answers'],
  ['/traffic', 'What is missing'],
  ['/control', 'Stop all replay'],
];

describe.each([
  { width: 1_280, dark: false },
  { width: 390, dark: true },
])('$width px wide, dark: $dark', (look) => {
  test('every view is there, fits, and nothing in it keeps anybody out', async () => {
    const { address } = await show();
    const page = await browser.open(address, '/', look);
    for (const [path, seen] of views) {
      await page.goto(new URL(path, address).href);
      await page.getByText(seen).first().waitFor();
      await page.waitForFunction(() => document.querySelector('.loading') === null);
      expect({ path, overhang: await overhang(page), findings: await seriousFindings(page) }).toEqual({ path, overhang: 0, findings: [] });
      expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe(look.dark ? 'dark' : 'light');
    }
  });
});

test('a table has room for its columns down to the width at which its rows become cards', async () => {
  const { address } = await show();
  const table = await browser.open(address, '/', { width: 1_169 });
  const cards = await browser.open(address, '/', { width: 1_168 });
  for (const path of ['/endpoints', '/differences', '/requests']) {
    for (const page of [table, cards]) {
      await page.goto(new URL(path, address).href);
      await page.locator('.table-body [role=row]').first().waitFor();
      // Where scrollbars are not drawn over the page.
      await page.evaluate(() => (document.body.style.paddingRight = '15px'));
    }
    const cut = await table.getByRole('table').evaluate((element) => element.scrollWidth - element.clientWidth);
    const seen = { path, cut, heads: await Promise.all([table, cards].map(headIsSeen)), overhang: await overhang(cards) };
    expect(seen).toEqual({ path, cut: 0, heads: [true, false], overhang: 0 });
  }
});

describe('1,000 endpoints and 10,000 differences', () => {
  const large = (): ReturnType<typeof plainBackend> => {
    const backend = plainBackend();
    backend.state.comparison = largeReport(1_000, 10_000);
    return backend;
  };

  test('of a long table only what is in sight is in the document, from its beginning to its end', async () => {
    const { address } = await show(large());
    const page = await browser.open(address, '/differences');
    const table = page.getByRole('table', { name: 'Differences' });
    await table.getByText('$.items[*].field0', { exact: true }).waitFor();
    expect(await table.getAttribute('aria-rowcount')).toBe('10001');
    expect(await rows(page)).toBeLessThan(60);
    await table.getByRole('link').first().focus();
    await page.keyboard.press('End');
    await table.getByText('$.items[*].field9999', { exact: true }).waitFor();
    expect(await rows(page)).toBeLessThan(60);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('field9999');
  });

  test('with the keyboard alone: search, go down, open, and back to what was searched', async () => {
    const { address } = await show(large());
    const page = await browser.open(address, '/endpoints');
    await page.getByRole('table', { name: 'Endpoints' }).waitFor();
    expect(await rows(page)).toBeLessThan(60);
    await page.keyboard.press('/');
    await page.keyboard.type('things-77');
    await said(page, '11 of 1,000 endpoints');
    expect(new URL(page.url()).search).toBe('?q=things-77');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const chosen = (await page.evaluate(() => document.activeElement?.querySelector('code')?.textContent)) ?? '';
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Differences', level: 1 }).waitFor();
    await page.getByText(`Only ${chosen}`).waitFor();
    await said(page, '10 of 10,000 differences');
    await page.goBack();
    await said(page, '11 of 1,000 endpoints');
    expect(await page.getByRole('searchbox').inputValue()).toBe('things-77');
  });

  test('filters and order stand in the address, and the back button takes one back after the other', async () => {
    const { address } = await show(large());
    const page = await browser.open(address, '/differences');
    await said(page, '10,000 differences');
    await page.getByRole('radio', { name: 'medium 3,333' }).check();
    await said(page, '3,333 of 10,000 differences');
    await page.getByRole('combobox', { name: 'Kind' }).selectOption('status');
    await said(page, '555 of 10,000 differences');
    await page.getByRole('columnheader', { name: 'Pairs' }).getByRole('button').click();
    await page.getByRole('columnheader', { name: 'Pairs' }).getByRole('button').click();
    expect(new URL(page.url()).search).toBe('?risk=medium&kind=status&sort=count');
    const shared = await browser.open(address, `/differences${new URL(page.url()).search}`);
    await said(shared, '555 of 10,000 differences');
    expect(await shared.locator('[aria-rowindex="2"]').textContent()).toContain('field6662');
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await said(page, '3,333 of 10,000 differences');
    await page.goBack();
    await page.getByText('10,000 differences', { exact: true }).waitFor();
    await page.getByRole('searchbox').fill('no such thing');
    await page.getByRole('button', { name: 'Show all 10,000 differences' }).click();
    await said(page, '10,000 differences');
  });
});

describe('a difference', () => {
  test('stands side by side with what differs marked, and leaves as a command and as a file', async () => {
    const { address } = await show();
    const page = await browser.open(address, '/differences/c1');
    await page.getByRole('columnheader', { name: 'Candidate' }).first().waitFor();
    expect(await page.locator('mark').first().textContent()).toBe('200 OK');
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await said(page, 'on the clipboard');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^curl /);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download HAR' }).click()]);
    const har = JSON.parse(readFileSync(await download.path(), 'utf8')) as { log: { entries: unknown[] } };
    expect(har.log.entries.length).toBeGreaterThan(0);
  });

  test('becomes a rule once it was seen what the rule hides', async () => {
    const { address, backend } = await show();
    const page = await browser.open(address, '/differences/c1');
    await page.getByRole('button', { name: 'Ignore by rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'A rule for this difference' });
    const save = dialog.getByRole('button', { name: 'Save the rule' });
    await dialog.getByText('still differ').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByLabel('Path').fill('');
    await dialog.getByRole('paragraph').getByText('Say where').waitFor();
    await save.click({ force: true });
    expect(backend.done).toEqual([]);
    await dialog.getByLabel('Path').fill('$.address.zip');
    await dialog.getByRole('radio', { name: 'Tolerate' }).check();
    await dialog.getByLabel('How far apart').fill('0.5');
    await dialog.getByLabel('Name').fill('zip codes');
    await dialog.getByText('$.address.zip').waitFor();
    await expect.poll(() => save.getAttribute('aria-disabled'), patient).toBeNull();
    await save.click();
    await said(page, 'The rule zip codes is saved');
    expect(backend.done).toEqual([
      `addRule ${JSON.stringify({ name: 'zip codes', endpoint: 'GET /users/{id}', path: '$.address.zip', tolerance: { relative: '0.5%' } })}`,
    ]);
    expect(await dialog.count()).toBe(0);
  });

  test('is accepted with a note, or the dialog closed by Escape', async () => {
    const { address, backend } = await show();
    const page = await browser.open(address, '/differences/c1');
    await page.getByRole('button', { name: 'Accept' }).click();
    const dialog = page.getByRole('dialog', { name: 'Accept this difference' });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Accept' }).click();
    await dialog.getByLabel('Why').fill('agreed on Monday');
    await dialog.getByRole('button', { name: 'Accept' }).click();
    await said(page, 'Accepted');
    expect(backend.done).toEqual(['accept c1 agreed on Monday']);
  });

  test('that is not there says so', async () => {
    const { address } = await show();
    const page = await browser.open(address, '/differences/c404');
    await page.getByRole('alert').getByText('no longer kept').waitFor();
    expect(browser.complaints()).toEqual([expect.stringContaining('404')]);
  });
});

test('a request is sent again, and what comes back now stands beside what production said', async () => {
  const { address, backend } = await show();
  const page = await browser.open(address, '/requests?method=GET');
  await page.getByRole('link', { name: '/users/4711' }).click();
  await page.getByRole('button', { name: 'Replay to candidate now' }).click();
  await page.getByRole('columnheader', { name: 'Now' }).first().waitFor();
  const heads = page.getByRole('region', { name: 'What differs' }).last().getByRole('columnheader');
  expect(await heads.allTextContents()).toEqual(['Differs at', 'Kind', 'Production', 'Now']);
  expect(backend.done).toEqual(['replayAgain dt-7f3a-000012 candidate']);
  await page.getByRole('link', { name: 'All requests' }).click();
  await page.getByLabel('Method').fill('DELETE');
  await page.getByText('No request is like that').waitFor();
});

test('new requests are followed again by one choice, whatever it was that held the list', async () => {
  const { address } = await show();
  const page = await browser.open(address, '/requests?to=2030-01-01T00%3A00%3A00.000Z&method=GET');
  const follow = page.getByRole('radio', { name: 'Follow' });
  expect(await follow.isChecked()).toBe(false);
  await follow.check();
  expect(new URL(page.url()).search).toBe('?method=GET');
  await page.getByRole('radio', { name: 'Hold' }).check();
  expect(new URL(page.url()).search).toBe('?method=GET&hold=1');
});

test('control: the kill switch asks first; a share is set, switched off and given back; changes are listed', async () => {
  const { address, backend } = await show();
  const page = await browser.open(address, '/control');
  await page.getByRole('button', { name: 'Stop all replay' }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop all replay?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(backend.done).toEqual([]);
  await page.getByRole('button', { name: 'Stop all replay' }).click();
  await dialog.getByRole('button', { name: 'Stop all replay' }).click();
  await expect.poll(() => backend.done, patient).toEqual(['halt']);
  backend.state.ledger = { ...backend.state.ledger, replay: 'stopped' };
  await page.getByRole('button', { name: 'Let replay go on' }).click();
  await page.getByRole('slider', { name: 'Share' }).fill('30');
  await page.getByRole('button', { name: 'Set 30 %' }).click();
  await page.getByRole('button', { name: 'Turn off' }).click();
  backend.state.shares = { candidate: { percentage: 0, by: 'hand', ramp: null } };
  await page.getByRole('button', { name: 'Give it back to its configuration' }).click();
  await expect
    .poll(() => backend.done, patient)
    .toEqual(['halt', 'resume', 'setPercentage candidate 30', 'setPercentage candidate 0', 'setPercentage candidate ']);
  await expect.poll(() => page.locator('.changes li').count(), patient).toBe(5);
});

describe('who may see it', () => {
  const tokens = { operatorToken: 'operator-token-of-the-test', readerToken: 'reader-token-of-the-test' };

  test('a wrong token is refused; with the right one the address that was asked for is shown', async () => {
    const { address } = await show(plainBackend(), tokens);
    const page = await browser.open(address, '/endpoints?verdict=SAFE', { width: 390 });
    await page.getByLabel('Token').fill('not-the-token-of-this');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('not the token').waitFor();
    expect(browser.complaints()).toEqual([expect.stringContaining('401')]);
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByLabel('Token').fill(tokens.operatorToken);
    await page.keyboard.press('Enter');
    await page.getByRole('table', { name: 'Endpoints' }).waitFor();
    expect(new URL(page.url()).search).toBe('?verdict=SAFE');
  });

  test('a reader sees everything, and of what changes something why it cannot be used', async () => {
    const { address, backend } = await show(plainBackend(), tokens);
    const page = await browser.open(address, '/login');
    await page.getByLabel('Token').fill(tokens.readerToken);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Control' }).first().click();
    const stop = page.getByRole('button', { name: 'Stop all replay' });
    await stop.click({ force: true });
    expect(await stop.getAttribute('aria-disabled')).toBe('true');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.getByRole('slider').isDisabled()).toBe(true);
    await page.getByText('signed in as a reader').first().waitFor();
    await page.goto(new URL('/differences/c1', address).href);
    for (const name of ['Ignore by rule', 'Accept'])
      expect(await page.getByRole('button', { name }).getAttribute('aria-disabled')).toBe('true');
    expect(await seriousFindings(page)).toEqual([]);
    expect(backend.done).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    // The server cuts the stream of a session that has ended, of which browsers complain.
    browser.complaints();
  });
});

describe('what is not there', () => {
  test('nothing is compared: the page says how to', async () => {
    const backend = plainBackend({ data: null });
    backend.state.comparison = null;
    const { address } = await show(backend);
    const page = await browser.open(address, '/');
    await page.getByText('Nothing is compared').waitFor();
    await page.getByRole('link', { name: 'Endpoints' }).first().click();
    await page.getByText('No endpoint was compared yet').waitFor();
    await page.getByRole('link', { name: 'Requests' }).first().click();
    await page.getByText('This is not kept').waitFor();
    browser.complaints();
  });

  test('a run that has ended can be looked at, and not controlled', async () => {
    const backend = plainBackend({ mode: 'finished', actions: null });
    backend.state.config = null;
    const { address } = await show(backend);
    const page = await browser.open(address, '/control');
    await page.getByText('This run has ended').first().waitFor();
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.getByText('The run has ended').waitFor();
  });

  test('what is not sanitized is not shown, and why', async () => {
    const backend = plainBackend();
    backend.state.hidden = 'contents are not shown, since nothing is sanitized';
    const { address } = await show(backend);
    const page = await browser.open(address, '/differences');
    await page.getByText('since nothing is sanitized').waitFor();
    expect(await page.getByRole('columnheader', { name: 'Production → candidate' }).count()).toBe(0);
  });
});

test('light and dark can be chosen, and the choice is kept', async () => {
  const { address } = await show();
  const page = await browser.open(address, '/', { dark: true });
  const theme = (): Promise<string | undefined> => page.evaluate(() => document.documentElement.dataset['theme']);
  await page.getByRole('button', { name: 'Colours: system' }).click();
  await page.getByRole('button', { name: 'Colours: light' }).waitFor();
  expect(await theme()).toBe('light');
  await page.reload();
  await page.getByRole('button', { name: 'Colours: light' }).click();
  expect(await theme()).toBe('dark');
});
