import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TapReport } from '../src/engine/tap.ts';
import { imbalances } from '../src/ledger/report.ts';
import { type LabNginx, type LabRun, sendInLab, startInLab, startLabNginx, stopMirror } from './support/lab-programs.ts';
import { eventually } from './support/mirror.ts';
import { labAddress, labProblem, NetworkLab } from './support/network-lab.ts';

const problem = labProblem();
if (problem !== null) process.stderr.write(`skipped: capture on interfaces is not tested: ${problem}\n`);
const hasWrk = spawnSync('which', ['wrk']).status === 0;
if (problem === null && !hasWrk) process.stderr.write('skipped: capture at the highest rate is not tested: no wrk\n');

/** Of the lab's own mirroring, which goes on beside. */
const labVni = 1234;
const productionUrl = `http://${labAddress.production}`;
/** On the host of production, and on its port. */
const neighbourUrl = `http://${labAddress.mirrorSource}`;

describe.skipIf(problem !== null)('capture on an interface', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-interface-'));
  let lab: NetworkLab;
  let production: LabNginx;
  let neighbour: LabNginx;
  let elsewhere: LabNginx;

  beforeAll(async () => {
    lab = new NetworkLab(labVni);
    production = await startLabNginx(lab, folder, 'production', `${labAddress.production}:80`);
    neighbour = await startLabNginx(lab, folder, 'production', `${labAddress.mirrorSource}:80`, 'neighbour');
    elsewhere = await startLabNginx(lab, folder, 'mirror', `${labAddress.mirror}:8080`);
  });

  afterAll(async () => {
    await lab.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const startMirror = (flags: readonly string[]): Promise<LabRun> =>
    startInLab(lab, folder, 'production', 'mirror', ['--port', '80', '--methods', 'all', ...flags]);

  const asked = (server: LabNginx, prefix: string): string[] =>
    server.log().filter((line) => line.split(' ')[1]?.startsWith(`/${prefix}/`));

  test('every request to this host is replayed once, with two workers', async () => {
    const flags = ['--interface', 'to-client', '--workers', '2', '--target', `http://${labAddress.mirror}:8080`];
    const mirror = await startMirror(flags);
    await sendInLab(lab, productionUrl, 2_000, 'host');
    await eventually('every request at the target', () => (asked(elsewhere, 'host').length >= 2_000 ? true : null));
    const { code, stderr, ledger } = await stopMirror(mirror);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'ready interface=to-client\n' });
    expect(imbalances(ledger)).toEqual([]);
    expect(asked(elsewhere, 'host').toSorted()).toEqual(asked(production, 'host').toSorted());
    expect(ledger).toMatchObject({
      captured: 2_000,
      outcomes: { replayed: 2_000 },
      gaps: { count: 0 },
      packets: { kernelDrops: 0 },
      production: { responses: { '2xx': 2_000 }, orphans: 0 },
    });
  });

  test('on all interfaces, a target on the same host and port is not captured, and nothing is seen twice', async () => {
    const mirror = await startMirror(['--interface', 'any', '--target', neighbourUrl]);
    await sendInLab(lab, productionUrl, 500, 'any');
    await eventually('every request at the target', () => (asked(neighbour, 'any').length >= 500 ? true : null));
    const { code, ledger } = await stopMirror(mirror);
    expect(code).toBe(0);
    expect(asked(neighbour, 'any')).toHaveLength(500);
    expect(ledger).toMatchObject({
      captured: 500,
      outcomes: { replayed: 500, blocked: { loop: 0 } },
      production: { responses: { '2xx': 500 }, orphans: 0 },
    });
  });

  test('a target that comes with SIGHUP is not captured either', async () => {
    const file = join(folder, 'reload.yaml');
    const write = (url: string): void =>
      writeFileSync(file, `sources: [{ interface: { name: any, ports: [80] } }]\ntargets: [{ name: t, url: "${url}" }]\n`);
    write(`http://${labAddress.mirror}:8080`);
    const mirror = await startInLab(lab, folder, 'production', 'mirror', [file, '--methods', 'all']);
    write(neighbourUrl);
    mirror.signal('SIGHUP');
    await eventually('the reload', () => (mirror.stderr().includes('reloaded') ? true : null));
    await sendInLab(lab, productionUrl, 100, 'reloaded');
    await eventually('every request at the target', () => (asked(neighbour, 'reloaded').length >= 100 ? true : null));
    const { code, ledger } = await stopMirror(mirror);
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 100, outcomes: { replayed: 100, blocked: { loop: 0 } } });
  });

  test.skipIf(!hasWrk)('at the highest rate of this machine nothing is lost', async () => {
    const mirror = await startMirror(['--interface', 'to-client', '--percentage', '0', '--target', neighbourUrl]);
    const before = production.log().length;
    const connections = 16;
    const wrk = lab.spawn('client', 'wrk', ['-t1', `-c${connections}`, '-d2', `${productionUrl}/wrk/`]);
    await once(wrk, 'close');
    const { ledger } = await stopMirror(mirror);
    const served = production.log().length - before;
    expect(ledger.packets.kernelDrops).toBe(0);
    expect(ledger.gaps.count).toBe(0);
    expect(served).toBeGreaterThan(1_000);
    // At its end wrk breaks off connections; what nginx had not read of them by then it never saw.
    expect(ledger.captured).toBeGreaterThanOrEqual(served);
    expect(ledger.captured - served).toBeLessThanOrEqual(connections);
  });

  test('an interface that goes down and comes back is captured on again', async () => {
    const mirror = await startMirror(['--interface', 'to-client', '--percentage', '0', '--target', neighbourUrl]);
    await sendInLab(lab, productionUrl, 20, 'before');
    lab.setLink('production', 'to-client', 'down');
    await eventually('the warning', () => (mirror.stderr().includes('the interface to-client is down') ? true : null));
    lab.setLink('production', 'to-client', 'up');
    await sendInLab(lab, productionUrl, 20, 'after');
    const { code, stderr, ledger } = await stopMirror(mirror);
    expect(code).toBe(0);
    expect(stderr).toContain('the interface to-client is up again');
    expect(ledger.captured).toBe(40);
  });

  test('an interface that is taken away and comes back under its name is captured on again', async () => {
    const addresses = ['10.77.3.1', '10.77.3.2'] as const;
    const connectAside = (): void => lab.connect('client', addresses[0], 'mirror', addresses[1]);
    connectAside();
    await startLabNginx(lab, folder, 'mirror', '8088', 'aside');
    const flags = ['--interface', 'to-client', '--port', '8088', '--percentage', '0'];
    const target = ['--target', `http://${labAddress.mirror}:8080`];
    const mirror = await startInLab(lab, folder, 'mirror', 'mirror', [...flags, ...target, '--methods', 'all']);
    await sendInLab(lab, `http://${addresses[1]}:8088`, 20, 'aside');
    lab.removeLink('mirror', 'to-client');
    await eventually('the warning', () => (mirror.stderr().includes('the interface to-client is down') ? true : null));
    connectAside();
    await eventually('the notice', () => (mirror.stderr().includes('there is a new interface to-client') ? true : null));
    await sendInLab(lab, `http://${addresses[1]}:8088`, 20, 'again');
    const { code, ledger } = await stopMirror(mirror);
    expect(code).toBe(0);
    expect(ledger.captured).toBe(40);
  });

  const tapVni = 99;
  const receiver = `${labAddress.mirror}:4799`;
  const startReceiver = (flags: readonly string[]): Promise<LabRun> =>
    startInLab(
      lab,
      folder,
      'mirror',
      'mirror',
      `--vxlan ${receiver} --vni ${tapVni} --methods all --target http://${labAddress.mirror}:8080`.split(' ').concat(flags),
    );
  const startTap = (flags: readonly string[]): Promise<LabRun> =>
    startInLab(
      lab,
      folder,
      'production',
      'tap',
      `--interface to-client --port 80 --to ${receiver} --vni ${tapVni}`.split(' ').concat(flags),
    );
  const stopTap = async (tap: LabRun): Promise<TapReport> => {
    const { code, counts } = await tap.stop();
    expect(code).toBe(0);
    const report = counts as TapReport;
    const { captured, added, sent, failed, skipped } = report;
    expect(captured + added).toBe(sent + failed + skipped.cpu + skipped.rate);
    return report;
  };

  test('through a tap every request comes to a mirror elsewhere, to the request', async () => {
    const mirror = await startReceiver([]);
    const tap = await startTap(['--cpu', '100%']);
    await sendInLab(lab, productionUrl, 1_000, 'tapped');
    await eventually('every request at the target', () => (asked(elsewhere, 'tapped').length >= 1_000 ? true : null));
    const report = await stopTap(tap);
    const { ledger } = await stopMirror(mirror);
    expect(asked(elsewhere, 'tapped').toSorted()).toEqual(asked(production, 'tapped').toSorted());
    expect(report).toMatchObject({ failed: 0, truncated: 0, kernelDrops: 0, skipped: { cpu: 0, rate: 0 } });
    expect(ledger).toMatchObject({
      captured: 1_000,
      outcomes: { replayed: 1_000 },
      gaps: { count: 0 },
      packets: { received: report.sent, kernelDrops: 0 },
    });
  });

  test('a tap that is to use little leaves connections out, and counts them', async () => {
    const mirror = await startReceiver(['--percentage', '0']);
    const tap = await startTap(['--cpu', '0.5%']);
    await sendInLab(lab, productionUrl, 3_000, 'little');
    const report = await stopTap(tap);
    const { ledger } = await stopMirror(mirror);
    expect(report.skipped.cpu).toBeGreaterThan(0);
    expect(report.skipped.rate).toBe(0);
    expect(ledger.packets.received).toBe(report.sent);
    expect(tap.stderr()).toContain('more passes the interface than --cpu 0.5% allows');
  });

  test('a tap with a rate sends no more than that; truncated packets are known as such', async () => {
    const mirror = await startReceiver(['--percentage', '0']);
    const tap = await startTap(['--cpu', '100%', '--rate', '200', '--truncate', '400']);
    await sendInLab(lab, productionUrl, 1_000, 'slowly');
    const report = await stopTap(tap);
    const { ledger } = await stopMirror(mirror);
    // The rate, and a fifth of a second's worth of it at once.
    expect(report.sent).toBeLessThanOrEqual(200 * (report.elapsedMs / 1_000 + 0.2));
    expect(report.skipped.rate).toBeGreaterThan(0);
    expect(report.truncated).toBeGreaterThan(0);
    expect(ledger.packets.received).toBe(report.sent);
    expect(ledger.packets.malformed).toMatchObject({ truncated_ip: 0, truncated_tcp: 0, truncated_link: 0 });
  });

  test('nobody at the other end does not stop a tap', async () => {
    const tap = await startTap(['--cpu', '100%']);
    await sendInLab(lab, productionUrl, 100, 'nobody');
    const { captured, sent, failed } = await stopTap(tap);
    expect(captured).toBeGreaterThan(200);
    expect(sent + failed).toBe(captured);
  });
});
