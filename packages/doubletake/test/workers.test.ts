import { afterEach, expect, test } from 'vitest';
import { imbalances } from '../src/ledger/report.ts';
import { type ConversationPacket, conversation, type Turn } from './support/conversation.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

const exchangesEach = 4;

/** Many clients of a few servers, over IPv4 and IPv6; the first segment of the target says which connection it is. */
function connections(count: number): ConversationPacket[][] {
  return Array.from({ length: count }, (_, index) => {
    const port = 20_000 + ((index * 7) % 30_000);
    const ends =
      index % 3 === 0
        ? { client: `[2001:db8::${index.toString(16)}]:${port}`, server: `[2001:db8:1::${(index % 4) + 1}]:80` }
        : { client: `10.0.${index >>> 8}.${index & 255}:${port}`, server: `10.9.0.${(index % 4) + 1}:8080` };
    const turns = Array.from({ length: exchangesEach }, (__, round): Turn[] => [
      { client: `POST /${index}/${round} HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}` },
      { server: `HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${'y'.repeat(2000)}` },
    ]);
    return conversation(ends, turns.flat());
  });
}

/** One packet of each in turn, as on a busy network. */
function* interleave(lists: readonly ConversationPacket[][]): Generator<ConversationPacket> {
  const longest = Math.max(...lists.map((list) => list.length));
  for (let position = 0; position < longest; position++) {
    for (const list of lists) {
      const packet = list[position];
      if (packet !== undefined) yield packet;
    }
  }
}

test('two workers split no connection: every request is replayed once and paired with its response', async () => {
  const target = await recordingTarget();
  const flags = ['--vxlan', '127.0.0.1:0', '--workers', '2', '--methods', 'all', '--target', target.url];
  const mirror = await startMirror(flags);
  const lists = connections(250);
  const total = lists.length * exchangesEach;
  await mirror.sendPaced(interleave(lists));
  const requests = await target.received(total);
  const { code, ledger } = await mirror.stop();

  expect(code).toBe(0);
  expect(mirror.tunnelPort).toBeGreaterThan(0);
  expect(imbalances(ledger)).toEqual([]);
  expect(ledger).toMatchObject({
    captured: total,
    outcomes: { replayed: total },
    inFlight: 0,
    connections: lists.length,
    packets: { received: lists.flat().length, used: lists.flat().length, kernelDrops: 0 },
    gaps: { count: 0, bytes: 0 },
    production: { responses: { '2xx': total }, orphans: 0 },
    skippedBytes: 0,
  });

  // The id of a replayed request names the worker: RUN-WORKER-NUMBER.
  const workersOf = new Map<string, Set<string>>();
  const targets: string[] = [];
  for (const { head } of requests) {
    const [, path = '', connection = ''] = /^POST (\/(\d+)\/\d+) /.exec(head) ?? [];
    const worker = /^X-Doubletake-Id: [^-]+-([^-]+)-/m.exec(head)?.[1] ?? '';
    targets.push(path);
    workersOf.set(connection, (workersOf.get(connection) ?? new Set()).add(worker));
  }
  expect(new Set(targets).size).toBe(total);
  expect([...workersOf.values()].filter((workers) => workers.size !== 1)).toEqual([]);
  expect(new Set([...workersOf.values()].flatMap((workers) => [...workers]))).toEqual(new Set(['0', '1']));
  for (const index of lists.keys()) {
    const rounds = targets.filter((candidate) => candidate.startsWith(`/${index}/`));
    expect(rounds).toEqual(Array.from({ length: exchangesEach }, (_, round) => `/${index}/${round}`));
  }
});
