/**
 * `npm run bench:views`: how long the dashboard's views take to open in Chromium over a run of 1,000 endpoints, 10,000
 * clusters and 1,000,000 stored pairs, from the address to the last of what is loaded. See README.md in this folder.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { ensureBuilt } from '../packages/dashboard/test/support/built-page.ts';
import { writeLargeRun } from '../packages/doubletake/test/support/large-run.ts';
import { percentile } from './measure.ts';

const program = fileURLToPath(new URL('../packages/doubletake/bin/doubletake.js', import.meta.url));
const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const size = { pairs: 1_000_000, endpoints: 1_000, clusters: 10_000 };
const times = 5;

/** Path, and what stands there when its data has come. */
const views: readonly (readonly [path: string, selector: string])[] = [
  ['/', '.verdict, h1'],
  ['/endpoints', '.table-body [role=row]'],
  ['/differences', '.table-body [role=row]'],
  ['/differences/c77', 'text=Example'],
  ['/requests', '.table-body [role=row]'],
  ['/requests?text=812.75', '.table-body [role=row]'],
  ['/requests/dt-500000', 'text=Both answers'],
  ['/traffic', 'h1'],
];

/** Opened in a new window, so that nothing is known from before but the files of the page. */
async function openView(browser: Browser, address: string, path: string, selector: string): Promise<number> {
  const page = await browser.newPage();
  const startMs = performance.now();
  await page.goto(`http://${address}${path}`);
  await page.locator(selector).first().waitFor();
  await page.waitForFunction(() => document.querySelector('.loading') === null);
  const tookMs = performance.now() - startMs;
  await page.close();
  return tookMs;
}

async function serve(run: string): Promise<string> {
  const child = spawn(process.execPath, [program, 'report', run, '--dashboard', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  process.on('exit', () => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stderr })) {
    const [address] = /127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('the dashboard did not start');
}

if (!existsSync(chromiumPath)) throw new Error(`there is no ${chromiumPath}; on Debian: apt-get install chromium`);
ensureBuilt();
const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-views-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
const run = join(folder, 'run');
await writeLargeRun(run, size);
const address = await serve(run);
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
process.stdout.write(`load of the machine: ${loadavg()[0]?.toFixed(1)}\n${'view'.padEnd(28)} median ms   worst\n`);
for (const [path, selector] of views) {
  const took = new Float64Array(times);
  for (let time = 0; time < times; time++) took[time] = await openView(browser, address, path, selector);
  took.sort();
  process.stdout.write(`${path.padEnd(28)} ${percentile(took, 0.5).toFixed(0).padStart(9)} ${(took.at(-1) ?? 0).toFixed(0).padStart(7)}\n`);
}
await browser.close();
process.exit();
