/**
 * The relay's thread: all proxies of a mirror. It has nothing to do with any pipeline but the rings into which it writes,
 * so that whatever becomes of the workers, clients go on being served.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DoubletakeError } from '../errors.ts';
import { CopyOutlet, CopyOutlets } from '../relay/copy-outlet.ts';
import { CopyWriter } from '../relay/copy-ring.ts';
import { Relay } from '../relay/relay.ts';
import { type FromCopyFeed, type FromRelay, relayCountNames, type RelayStart, type ToCopyFeed, type ToRelay } from './relay-messages.ts';

/** While it stops, workers are asked this often which connections are idle. */
const askEveryMs = 50;

/** The counts are published this often. */
const publishEveryMs = 100;

/** A stop waits this long for room in the rings for what it still has to tell. */
const settleMsMax = 1_000;

const port = parentPort;
if (port === null) throw new Error('this file runs in a worker thread only');
const start = workerData as RelayStart;
const say = (message: FromRelay): void => port.postMessage(message);

const ports = start.workers.map((worker) => worker.port);
const outlets = start.workers.map(
  ({ ring }, index) => new CopyOutlet(new CopyWriter(ring, () => ports[index]?.postMessage('wake' satisfies ToCopyFeed))),
);
/** By worker: the connections that its parsers know, as it last said; null while it has said nothing. */
const known: (ReadonlySet<number> | null)[] = outlets.map(() => null);

let lastId = 0;
const choice = new CopyOutlets(outlets);
const relays: Relay[] = [];

function publish(): void {
  const row = new Float64Array(start.counts);
  row[0] = performance.timeOrigin + performance.now();
  relays.forEach(({ counts }, index) => {
    relayCountNames.forEach((name, slot) => {
      row[1 + index * relayCountNames.length + slot] = counts[name];
    });
  });
}

/** Its end of the channel has closed. */
function workerGone(worker: number): void {
  const bySource = new Map(start.relays.map(({ source }, index) => [source, relays[index]]));
  outlets[worker]?.abandon((source) => bySource.get(source)?.counts ?? { gaps: 0, gapBytes: 0 });
  known[worker] = null;
}

async function stop(drainMs: number): Promise<void> {
  // A worker that is stuck is not waited for to the end.
  const patienceEndMs = performance.now() + drainMs / 2;
  const knows = (id: number, outlet: CopyOutlet): boolean => {
    const answer = known[outlets.indexOf(outlet)] ?? null;
    return answer === null ? outlet.alive && performance.now() < patienceEndMs : answer.has(id);
  };
  const asking = setInterval(() => {
    outlets.forEach(({ alive }, index) => {
      if (alive) ports[index]?.postMessage('idle?' satisfies ToCopyFeed);
    });
    for (const relay of relays) relay.leaveUnknown(knows);
  }, askEveryMs);
  const breakingOff = setTimeout(() => relays.forEach((relay) => relay.abort()), drainMs);
  await Promise.all(relays.map((relay) => relay.stop()));
  clearInterval(asking);
  clearTimeout(breakingOff);
  for (const deadlineMs = performance.now() + settleMsMax; performance.now() < deadlineMs; ) {
    if (outlets.every(({ settled }) => settled)) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  clearInterval(publishing);
  publish();
  for (const feed of ports) feed.close();
  port?.close();
}

ports.forEach((feed, worker) => {
  feed.on('close', () => workerGone(worker));
  feed.on('message', (answer: FromCopyFeed) => {
    const outlet = outlets[worker];
    if (outlet === undefined || !outlet.alive) return;
    known[worker] = new Set([...answer.idle, ...answer.busy]);
    for (const relay of relays) relay.leaveIdle(outlet, answer.position, answer.idle);
  });
});

port.on('message', (message: ToRelay) => {
  switch (message.type) {
    case 'stop':
      return void stop(message.drainMs);
    case 'abort':
      return relays.forEach((relay) => relay.abort());
    case 'reload':
      return relays.forEach((relay) => relay.reload());
  }
});

const publishing = setInterval(publish, publishEveryMs);
try {
  for (const { source, options } of start.relays) {
    relays.push(new Relay(options, source, choice, () => ++lastId, (text) => say({ type: 'warning', text })));
  }
  const addresses = [];
  for (const relay of relays) addresses.push(await relay.listen());
  publish();
  say({ type: 'ready', addresses });
} catch (error) {
  if (!(error instanceof DoubletakeError)) throw error;
  say({ type: 'failed', code: error.code, text: error.message });
  await stop(0);
}
