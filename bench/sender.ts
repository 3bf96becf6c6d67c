/**
 * A process that sends mirrored traffic: paced, in one batch each millisecond, or flat out.
 *
 * `sender.ts HOST PORT CONNECTIONS REQUESTS_PER_SECOND|flat SECONDS STAMP_EVERY page|order`. It opens all connections, prints
 * `started`, sends for so many seconds and prints what it sent as JSON. A response follows its request a batch later.
 */
import { writeSync } from 'node:fs';
import { DatagramSender } from './datagram-sender.ts';
import { slotBytes, Traffic } from './traffic.ts';

/** What a sender prints at its end. */
export interface SenderReport {
  requests: number;
  datagrams: number;
  seconds: number;
  /** Longest time by which a batch was behind its schedule. */
  lateMsMax: number;
}

/** Exchanges in a batch of a sender that goes flat out. */
const flatOutExchanges = 64;
/** Exchanges in a batch at most: what a sender could not send in time is spread over the following batches. */
const batchExchangesMax = 256;
/** Connections opened in a batch. */
const openingMax = 20;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the whole process, which has nothing else to do; timers of the event loop would be less precise. */
function sleepMs(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

function openAll(traffic: Traffic, sender: DatagramSender): void {
  for (let connection = 0; connection < traffic.connections; connection++) {
    traffic.open(connection, sender);
    if ((connection + 1) % openingMax === 0) {
      sender.flush();
      sleepMs(1);
    }
  }
  sender.flush();
}

function send(
  traffic: Traffic,
  sender: DatagramSender,
  requestsPerSecond: number | null,
  seconds: number,
): SenderReport {
  const { connections } = traffic;
  const sentBefore = sender.sent;
  const startMs = performance.now();
  let requests = 0;
  let answered = 0;
  let lateMsMax = 0;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs >= seconds * 1000) break;
    let due = flatOutExchanges;
    if (requestsPerSecond !== null) {
      due = Math.floor((elapsedMs * requestsPerSecond) / 1000) - requests;
      lateMsMax = Math.max(lateMsMax, (due / requestsPerSecond) * 1000);
    }
    for (; answered < requests; answered++) traffic.response(answered % connections, sender);
    // A connection's next request waits for its response, so one batch takes each connection at most once.
    const batch = Math.min(due, batchExchangesMax, connections);
    for (let count = 0; count < batch; count++) traffic.request(requests++ % connections, sender);
    sender.flush();
    if (requestsPerSecond !== null) sleepMs(1);
  }
  for (; answered < requests; answered++) traffic.response(answered % connections, sender);
  sender.flush();
  return {
    requests,
    datagrams: sender.sent - sentBefore,
    seconds: (performance.now() - startMs) / 1000,
    lateMsMax,
  };
}

const [host = '', port, connections, rate, seconds, stampEvery, kind] = process.argv.slice(2);
const traffic = new Traffic(Number(connections), Number(stampEvery), kind === 'order' ? 'order' : 'page');
const sender = new DatagramSender(host, Number(port), batchExchangesMax * 4, slotBytes);
openAll(traffic, sender);
writeSync(1, 'started\n');
const report = send(traffic, sender, rate === 'flat' ? null : Number(rate), Number(seconds));
writeSync(1, `${JSON.stringify(report)}\n`);
