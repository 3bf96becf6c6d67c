import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imbalances, type LedgerReport } from '../src/ledger/report.ts';
import { type LabNginx, sendInLab, startInLab, startLabNginx, stopMirror } from './support/lab-programs.ts';
import { eventually } from './support/mirror.ts';
import { labAddress, labProblem, NetworkLab } from './support/network-lab.ts';

const problem = labProblem();
if (problem !== null) process.stderr.write(`skipped: mirroring with kernel devices is not tested: ${problem}\n`);

const vni = 1234;
const targetUrl = 'http://127.0.0.1:8080';

describe.skipIf(problem !== null)('traffic mirrored by the kernel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-kernel-'));
  let lab: NetworkLab;
  let production: LabNginx;
  let target: LabNginx;

  beforeAll(async () => {
    lab = new NetworkLab(vni);
    production = await startLabNginx(lab, folder, 'production', `${labAddress.production}:80`);
    target = await startLabNginx(lab, folder, 'mirror', '127.0.0.1:8080');
  });

  afterAll(async () => {
    await lab.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const sendRequests = (count: number, prefix: string): Promise<void> =>
    sendInLab(lab, `http://${labAddress.production}`, count, prefix);

  /** Runs a mirror around `work` and returns what it counted. */
  async function mirrored(flags: readonly string[], work: () => Promise<void>): Promise<LedgerReport> {
    const source = ['--vxlan', `${labAddress.mirror}:4789`, '--vni', String(vni)];
    const mirror = await startInLab(lab, folder, 'mirror', 'mirror', [...source, '--target', targetUrl, ...flags]);
    await work();
    const { code, stderr, ledger } = await stopMirror(mirror);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `ready vxlan=${labAddress.mirror}:4789\n` });
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger).toMatchObject({
      inFlight: 0,
      gaps: { count: 0, bytes: 0 },
      packets: { kernelDrops: 0 },
      production: { orphans: 0 },
    });
    return ledger;
  }

  test.each(['socket', 'ring'])('from a %s, at 100 % both servers were asked the same, to the request', async (receive) => {
    const requests = 3_000;
    const [before, asked] = [production.log().length, target.log().length];
    const ledger = await mirrored(['--methods', 'all', '--workers', '2', '--receive', receive], async () => {
      await sendRequests(requests, receive);
      expect(production.log()).toHaveLength(before + requests);
      await eventually('every request at the test server', () => (target.log().length >= asked + requests ? true : null));
    });
    expect(target.log().slice(asked).toSorted()).toEqual(production.log().slice(before).toSorted());
    expect(ledger).toMatchObject({
      captured: requests,
      outcomes: { replayed: requests },
      production: { responses: { '2xx': requests } },
      targets: { target: { responses: { '2xx': requests } } },
    });
  });

  test('at 10 % a tenth was replayed, within the sampling error', async () => {
    const requests = 3_000;
    const before = target.log().length;
    const ledger = await mirrored(['--methods', 'all', '--percentage', '10'], () => sendRequests(requests, 'tenth'));
    const replayed = target.log().length - before;
    const fiveSigma = 5 * Math.sqrt(requests * 0.1 * 0.9);
    expect(ledger).toMatchObject({ captured: requests, outcomes: { replayed, sampled_out: requests - replayed } });
    expect(Math.abs(replayed - requests * 0.1)).toBeLessThan(fiveSigma);
  });
});
