import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imbalances, type LedgerReport } from '../src/ledger/report.ts';
import { eventually, program } from './support/mirror.ts';
import { labAddress, labProblem, NetworkLab, type Place } from './support/network-lab.ts';

const problem = labProblem();
if (problem !== null) process.stderr.write(`skipped: mirroring with kernel devices is not tested: ${problem}\n`);

const vni = 1234;
const targetUrl = 'http://127.0.0.1:8080';
const loadClient = fileURLToPath(new URL('./support/load-client.ts', import.meta.url));

describe.skipIf(problem !== null)('traffic mirrored by the kernel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-kernel-'));
  let lab: NetworkLab;

  beforeAll(async () => {
    lab = new NetworkLab(vni);
    await startNginx('production', `${labAddress.production}:80`);
    await startNginx('mirror', '127.0.0.1:8080');
  });

  afterAll(async () => {
    await lab.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** An nginx that answers everything and logs a line a request. */
  async function startNginx(place: Place, listen: string): Promise<void> {
    const prefix = join(folder, place);
    mkdirSync(prefix);
    const configuration = join(prefix, 'nginx.conf');
    writeFileSync(
      configuration,
      `daemon off; pid ${prefix}/pid; error_log ${prefix}/error.log; worker_processes 1;
      events { worker_connections 1024; }
      http {
        log_format line '$request_method $request_uri $content_length $status';
        access_log ${prefix}/access.log line;
        client_body_temp_path ${prefix}/body; keepalive_requests 100000;
        server { listen ${listen} backlog=1024; location / { return 200 "answer of ${place}\\n"; } }
      }`,
    );
    const server = lab.spawn(place, 'nginx', ['-c', configuration, '-p', prefix, '-e', `${prefix}/error.log`]);
    const printed = collect(server);
    await eventually(`nginx in ${place}`, () => {
      if (server.exitCode !== null) throw new Error(`nginx ended: ${printed.stderr}`);
      return readText(join(prefix, 'pid'));
    });
  }

  /** What a server was asked so far: lines of method, target, Content-Length and status. */
  function log(place: Place): string[] {
    return (readText(join(folder, place, 'access.log')) ?? '').split('\n').slice(0, -1);
  }

  async function sendRequests(count: number, prefix: string): Promise<void> {
    const url = `http://${labAddress.production}`;
    const client = lab.spawn('client', process.execPath, [loadClient, url, String(count), prefix]);
    const printed = collect(client);
    const code = await new Promise((resolve) => client.once('close', resolve));
    expect({ code, stderr: printed.stderr }).toEqual({ code: 0, stderr: '' });
  }

  /** Runs a mirror around `work` and returns what it counted. */
  async function mirrored(flags: readonly string[], work: () => Promise<void>): Promise<LedgerReport> {
    const ledgerFile = join(folder, 'ledger.json');
    const source = ['--vxlan', `${labAddress.mirror}:4789`, '--vni', String(vni), '--ledger', ledgerFile];
    const args = [program, 'mirror', ...source, '--target', targetUrl, ...flags];
    const mirror = lab.spawn('mirror', process.execPath, args);
    const printed = collect(mirror);
    const ended = new Promise<number | null>((resolve) => mirror.once('close', resolve));
    try {
      await eventually('the ready line', () => {
        if (mirror.exitCode !== null) throw new Error(`the mirror ended: ${printed.stderr}`);
        return /^ready /m.exec(printed.stderr);
      });
      await work();
    } finally {
      mirror.kill('SIGTERM');
      await ended;
    }
    const ready = `ready vxlan=${labAddress.mirror}:4789\n`;
    expect({ code: await ended, stderr: printed.stderr }).toEqual({ code: 0, stderr: ready });
    const ledger = JSON.parse(readFileSync(ledgerFile, 'utf8')) as LedgerReport;
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger).toMatchObject({
      inFlight: 0,
      gaps: { count: 0, bytes: 0 },
      packets: { kernelDrops: 0 },
      production: { orphans: 0 },
    });
    return ledger;
  }

  test('at 100 % both servers were asked the same, to the request', async () => {
    const requests = 3_000;
    const ledger = await mirrored(['--methods', 'all', '--workers', '2'], async () => {
      await sendRequests(requests, 'all');
      expect(log('production')).toHaveLength(requests);
      await eventually('every request at the test server', () => (log('mirror').length >= requests ? true : null));
    });
    expect(log('mirror').toSorted()).toEqual(log('production').toSorted());
    expect(ledger).toMatchObject({
      captured: requests,
      outcomes: { replayed: requests },
      production: { responses: { '2xx': requests } },
      targets: { target: { responses: { '2xx': requests } } },
    });
  });

  test('at 10 % a tenth was replayed, within the sampling error', async () => {
    const requests = 3_000;
    const before = log('mirror').length;
    const ledger = await mirrored(['--methods', 'all', '--percentage', '10'], () => sendRequests(requests, 'tenth'));
    const replayed = log('mirror').length - before;
    const fiveSigma = 5 * Math.sqrt(requests * 0.1 * 0.9);
    expect(ledger).toMatchObject({ captured: requests, outcomes: { replayed, sampled_out: requests - replayed } });
    expect(Math.abs(replayed - requests * 0.1)).toBeLessThan(fiveSigma);
  });
});

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function collect(child: ChildProcess): { stderr: string } {
  const printed = { stderr: '' };
  child.stdout?.resume();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  return printed;
}
