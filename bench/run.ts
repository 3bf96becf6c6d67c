/** Runs one scenario: the mirror as a user would run it, and, beside it, the floor at the same rate. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startMirror, type MirrorProcess } from '../packages/doubletake/src/demo/mirror-process.ts';
import { imbalances, type LedgerReport } from '../packages/doubletake/src/ledger/report.ts';
import { sampleProcess, type ProcessSample, type UnitCost } from './measure.ts';
import { startNginx, type Nginx } from './nginx.ts';
import type { ProbeReport } from './probe.ts';
import { warmUpSeconds, type Scenario } from './scenarios.ts';
import { responseBody } from './traffic.ts';
import { startScript, type Script } from './script.ts';
import type { SenderReport } from './sender.ts';

export interface Cost {
  userUs: number;
  systemUs: number;
}

export interface ScenarioResult {
  scenario: Scenario;
  sent: SenderReport;
  /** From the ledger, and as the target itself counted. */
  replayed: number;
  targetRequests: number;
  /** Requests sent and not replayed, for whatever reason. */
  lost: number;
  /** Replayed in a second of the measured window; null for a probe. */
  replayedPerSecond: number | null;
  /** Of the mirror's whole process, for each request replayed in the measured window; null for a probe. */
  cost: Cost | null;
  memory: { firstMb: number; lastMb: number; peakMb: number };
  /** From the time in the request to its first byte at the target; null for nginx. */
  latency: ProbeReport | null;
  /** Sums of the ledger that do not add up, in words. */
  imbalances: string[];
  ledger: LedgerReport;
}

/** Microseconds for each request: four datagrams received; one request sent and its answer read. */
export interface Floor {
  receive: Cost;
  client: Cost;
}

/** Every 10th request of a latency run carries its time. */
const stampEvery = 10;
const datagramsPerRequest = 4;
/** Beyond the planned time of a process. */
const graceMs = 20_000;
const drainMsMax = 15_000;

export async function runScenario(scenario: Scenario, seconds: number, nginx: string): Promise<ScenarioResult> {
  await using stack = new AsyncDisposableStack();
  const target = scenario.target === 'probe' ? await startProbe(seconds) : await startNginx(nginx, scenario.sameAnswers === true ? responseBody : null);
  stack.defer(() => target.stop().then(() => undefined));
  const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url.href, ...mirrorFlags(scenario, stack)]);
  stack.defer(() => mirror.stop().then(() => undefined));

  const sender = startSender(scenario, mirror.vxlan.port, warmUpSeconds + seconds);
  await sender.nextLine();
  const watched = await watch(mirror, 'requests' in target ? target : null, seconds);
  const sent = JSON.parse(await sender.nextLine()) as SenderReport;
  if ('requests' in target) await settled(target);
  const { peakMb } = sampleProcess(mirror.processId);
  const { ledger, log, exitCode } = await mirror.stop();
  if (ledger === null) throw new Error(`the mirror left no ledger (exit code ${exitCode}): ${log}`);
  const latency = 'report' in target ? await target.report() : null;
  const targetRequests = 'requests' in target ? await target.requests() : (latency?.requests ?? 0);
  const replayed = Number(ledger.outcomes['replayed']);
  return {
    scenario,
    sent,
    replayed,
    targetRequests,
    lost: sent.requests - replayed,
    replayedPerSecond: watched.requests === null ? null : watched.requests / watched.seconds,
    cost: watched.requests === null ? null : perUnit(watched.first, watched.last, watched.requests),
    memory: { firstMb: watched.first.residentMb, lastMb: watched.last.residentMb, peakMb },
    latency,
    imbalances: imbalances(ledger),
    ledger,
  };
}

/** Policies have no flags: a configuration file holds them. */
function mirrorFlags({ workers = 1, receive = 'socket', sanitize = false, compare = false }: Scenario, stack: AsyncDisposableStack): string[] {
  const flags = ['--methods', 'all', '--workers', String(workers), '--receive', receive];
  if (!sanitize && !compare) return flags;
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  if (compare) flags.push('--run', join(folder, 'run'));
  if (!sanitize) return flags;
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ policy: { sanitize: { key: 'a key of the benchmark' } } }));
  return [file, ...flags];
}

/** What receiving and sending alone cost at the rate of a scenario. */
export async function runFloor(scenario: Scenario, seconds: number, nginx: string): Promise<Floor> {
  const timeoutMs = (warmUpSeconds + seconds) * 1000 + graceMs;
  const receiver = startScript('floor.ts', ['receive', seconds], timeoutMs);
  const port = Number((await receiver.nextLine()).split(' ')[1]);
  startSender(scenario, port, warmUpSeconds + seconds + 1);
  const receive = JSON.parse(await receiver.nextLine()) as UnitCost;

  await using stack = new AsyncDisposableStack();
  const target = await startNginx(nginx);
  stack.defer(() => target.stop());
  const client = startScript('floor.ts', ['client', target.url.port, rateText(scenario), seconds, scenario.request ?? 'page'], timeoutMs);
  await client.nextLine();
  const send = JSON.parse(await client.nextLine()) as UnitCost;
  const each = ({ units, userUs, systemUs }: UnitCost, share: number): Cost => ({
    userUs: (userUs / units) * share,
    systemUs: (systemUs / units) * share,
  });
  return { receive: each(receive, datagramsPerRequest), client: each(send, 1) };
}

function startSender(scenario: Scenario, port: number, seconds: number): Script {
  const stamps = scenario.target === 'probe' ? stampEvery : 0;
  return startScript(
    'sender.ts',
    ['127.0.0.1', port, scenario.connections, rateText(scenario), seconds, stamps, scenario.request ?? 'page'],
    seconds * 1000 + graceMs,
  );
}

function rateText({ requestsPerSecond }: Scenario): string {
  return requestsPerSecond === null ? 'flat' : String(requestsPerSecond);
}

interface Watched {
  first: ProcessSample;
  last: ProcessSample;
  /** Requests that came to the target in the window; null where nobody counts them. */
  requests: number | null;
  seconds: number;
}

/** Looks at the mirror and at its target at both ends of the measured window, which ends just before the sender does. */
async function watch(mirror: MirrorProcess, target: Nginx | null, seconds: number): Promise<Watched> {
  await delay(warmUpSeconds * 1000);
  const look = async (): Promise<[ProcessSample, number, number]> => {
    const requests = target === null ? Number.NaN : await target.requests();
    return [sampleProcess(mirror.processId), requests, performance.now()];
  };
  const [first, requestsBefore, startMs] = await look();
  await delay(seconds * 1000 - 200);
  const [last, requestsAfter, endMs] = await look();
  const requests = target === null ? null : requestsAfter - requestsBefore;
  return { first, last, requests, seconds: (endMs - startMs) / 1000 };
}

/** Waits until no further request comes to the target. */
async function settled(target: Nginx): Promise<void> {
  let before = -1;
  for (const deadlineMs = performance.now() + drainMsMax; performance.now() < deadlineMs; ) {
    const now = await target.requests();
    if (now === before) return;
    before = now;
    await delay(300);
  }
}

function perUnit(first: ProcessSample, last: ProcessSample, units: number): Cost {
  return { userUs: (last.userUs - first.userUs) / units, systemUs: (last.systemUs - first.systemUs) / units };
}

interface Probe {
  readonly url: URL;
  /** Ends it, and gives its figures. */
  report(): Promise<ProbeReport>;
  stop(): Promise<void>;
}

async function startProbe(seconds: number): Promise<Probe> {
  const script = startScript('probe.ts', [], (warmUpSeconds + seconds) * 1000 + 2 * graceMs);
  const port = Number((await script.nextLine()).split(' ')[1]);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    async report() {
      script.stop();
      return JSON.parse(await script.nextLine()) as ProbeReport;
    },
    async stop() {
      script.stop();
    },
  };
}
