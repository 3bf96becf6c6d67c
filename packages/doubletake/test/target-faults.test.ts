/**
 * A target that misbehaves: capture goes on, each request gets the outcome that says what happened, nothing grows, and
 * once the target is well again so is the replay. At every moment asked, captured = outcomes + in flight.
 */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { imbalances, type LedgerReport, total } from '../src/ledger/report.ts';
import { startConfigured } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { recordingTarget, type RunningMirror, stopAll } from './support/mirror.ts';
import { client, exchanges, get, mirrorToRecorder, ok } from './support/requests.ts';

afterEach(stopAll);

type Fault = (socket: Socket) => void;

/** Every request is tried, however many before it failed. */
const patient = { breaker: false };

const trickles = new Set<NodeJS.Timeout>();
afterEach(() => {
  for (const timer of trickles) clearInterval(timer);
  trickles.clear();
});

const faults: Record<string, Fault> = {
  stall: () => {},
  garbage: (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
  halfAnswer: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!'),
  closeInHead: (socket) => socket.end('HTTP/1.1 200 O'),
  closeAtOnce: (socket) => socket.end(),
  reset: (socket) => socket.resetAndDestroy(),
  brokenChunk: (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n'),
  trickle: (socket) => {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed || at === ok.length) clearInterval(timer);
      else socket.write(ok.charAt(at++));
    }, 1000);
    trickles.add(timer);
  },
};

/** One request on each of `count` connections of their own. */
async function sendWave(mirror: RunningMirror, wave: number, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await mirror.send(exchanges(client(wave * 1000 + index), [get(`/wave/${wave}/${index}`)]));
  }
}

/** Waits until all are captured and ended; every ledger on the way must add up. */
function settled(mirror: RunningMirror, captured: number): Promise<LedgerReport> {
  return mirror.ledgerWhen(`${captured} requests to end`, (ledger) => {
    expect(imbalances(ledger)).toEqual([]);
    return ledger.captured === captured && ledger.inFlight === 0;
  });
}

describe('each fault has its outcome, and the replay recovers by itself', () => {
  test.each([
    ['stall', 'timeout'],
    ['trickle', 'timeout'],
    ['garbage', 'protocol'],
    ['brokenChunk', 'protocol'],
    ['halfAnswer', 'reset'],
    ['closeInHead', 'reset'],
    ['closeAtOnce', 'reset'],
    ['reset', 'reset'],
  ])('%s: failed.%s', async (name, reason) => {
    let fault: Fault | null = null;
    const target = await recordingTarget((socket) => {
      if (fault === null) socket.write(ok);
      else fault(socket);
    });
    // Long enough for what answers at once, also on a machine that has other things to do.
    const limits = reason === 'timeout' ? { responseTimeout: '2s' } : {};
    const mirror = await startConfigured({ targets: [{ name: 'target', url: target.url, ...patient, limits }] });
    await sendWave(mirror, 0, 30);
    await settled(mirror, 30);
    fault = faults[name] ?? null;
    await sendWave(mirror, 1, 30);
    const broken = await settled(mirror, 60);
    expect(broken.outcomes).toMatchObject({ replayed: 30, failed: { [reason]: 30 } });
    fault = null;
    await sendWave(mirror, 2, 30);
    await target.received(90);
    await settled(mirror, 90);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger.outcomes).toMatchObject({ replayed: 60, failed: { [reason]: 30 } });
    expect(ledger.packets.kernelDrops).toBe(0);
  });

  test('the target goes away and comes back: failed.connect in between', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ targets: [{ name: 'target', url: target.url, ...patient }] });
    await sendWave(mirror, 0, 30);
    await settled(mirror, 30);
    await target.stop();
    await sendWave(mirror, 1, 30);
    const away = await settled(mirror, 60);
    expect(away.outcomes).toMatchObject({ replayed: 30, failed: { connect: 30 } });
    const back = await recordingTarget(undefined, target.port);
    await sendWave(mirror, 2, 30);
    await back.received(30);
    await settled(mirror, 90);
    const { ledger } = await mirror.stop();
    expect(ledger.outcomes).toMatchObject({ replayed: 60, failed: { connect: 30 } });
  });
});

test('a target that stalls fills the queue to its bound, and what waits goes out when it wakes', async () => {
  const held: Socket[] = [];
  let awake = false;
  const { target, mirror } = await mirrorToRecorder([], (socket) => (awake ? socket.write(ok) : held.push(socket)));
  const requests = 13_000;
  const each = 20;
  for (let index = 0; index < requests / each; index++) {
    const pipelined = Array.from({ length: each }, (_, at) => get(`/queue/${index}/${at}`)).join('');
    await mirror.send(conversation({ client: client(index), acks: false }, [{ client: pipelined }]));
  }
  const full = await mirror.ledgerWhen('the capture to go on', ({ captured }) => captured === requests);
  expect(imbalances(full)).toEqual([]);
  const dropped = total(full.outcomes['dropped'] ?? 0);
  expect(full.outcomes).toMatchObject({ dropped: { queue_full: dropped } });
  // At most 10,000 wait and 256 are in flight.
  expect(full.inFlight).toBe(requests - dropped);
  expect(full.inFlight).toBeLessThanOrEqual(10_256);
  expect(full.inFlight).toBeGreaterThanOrEqual(10_000);
  awake = true;
  for (const socket of held) socket.write(ok);
  await settled(mirror, requests);
  const { ledger, code } = await mirror.stop();
  expect(code).toBe(0);
  expect(ledger.outcomes).toMatchObject({ replayed: requests - dropped, dropped: { queue_full: dropped } });
  expect(target.requests).toHaveLength(requests - dropped);
});

test('under load and changing faults the sums add up at every moment, with two workers and two targets', async () => {
  const behaviours: Fault[] = [(socket) => socket.write(ok), ...Object.values(faults)];
  let turn = 0;
  const moody = await recordingTarget((socket) => behaviours[turn++ % behaviours.length]?.(socket));
  const steady = await recordingTarget();
  const targets = [
    { name: 'moody', url: moody.url, ...patient, limits: { responseTimeout: '300ms' } },
    { name: 'steady', url: steady.url, ...patient },
  ];
  const mirror = await startConfigured({ workers: 2, targets });
  let sent = 0;
  for (let wave = 0; wave < 25; wave++) {
    await sendWave(mirror, wave, 40);
    sent += 40;
    const ledger = await mirror.ledgerNow();
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger.captured).toBeLessThanOrEqual(sent);
  }
  await settled(mirror, sent);
  const { ledger, code } = await mirror.stop();
  expect(code).toBe(0);
  expect(ledger).toMatchObject({ captured: sent, inFlight: 0, packets: { kernelDrops: 0 } });
  expect(ledger.targets['steady']?.outcomes).toMatchObject({ replayed: sent });
  const failed = ledger.targets['moody']?.outcomes['failed'];
  expect(Object.entries(failed ?? {}).flatMap(([reason, count]) => (count === 0 ? [] : [reason]))).toEqual(
    expect.arrayContaining(['timeout', 'reset', 'protocol']),
  );
  expect(steady.requests).toHaveLength(sent);
});
