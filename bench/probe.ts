/**
 * A process that is the target of latency runs: an HTTP server that does nothing but take the time of each request's
 * first byte, and compare it with the time that the sender wrote into the request.
 *
 * Prints `ready PORT`, and at SIGTERM its figures as JSON. Requests on a connection come one at a time.
 */
import { createServer } from 'node:net';
import { listen } from '../packages/doubletake/src/demo/listen.ts';
import { percentile } from './measure.ts';
import { warmUpSeconds } from './scenarios.ts';
import { sentHeader } from './traffic.ts';

/** What a probe prints at its end: milliseconds. */
export interface ProbeReport {
  requests: number;
  samples: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n');
const sent = new RegExp(`^${sentHeader}: (\\d+)\\r$`, 'im');
const samples = new Float64Array(1_000_000);
let sampleCount = 0;
let requests = 0;
let firstNs = 0n;

const server = createServer({ noDelay: true }, (socket) => {
  let head = '';
  let arrivedNs = 0n;
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    const now = process.hrtime.bigint();
    if (head === '') arrivedNs = now;
    head += bytes.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    take(head, arrivedNs);
    head = '';
    socket.write(answer);
  });
});

function take(head: string, arrivedNs: bigint): void {
  if (requests++ === 0) firstNs = arrivedNs;
  const stamp = BigInt(sent.exec(head)?.[1] ?? '0');
  const warm = arrivedNs - firstNs > BigInt(warmUpSeconds) * 1_000_000_000n;
  if (stamp > 0n && warm && sampleCount < samples.length) samples[sampleCount++] = Number(arrivedNs - stamp) / 1e6;
}

process.once('SIGTERM', () => {
  const sorted = samples.subarray(0, sampleCount).toSorted();
  const report: ProbeReport = {
    requests,
    samples: sampleCount,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: percentile(sorted, 1),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
});

const { port } = await listen(server, 0, '127.0.0.1');
process.stdout.write(`ready ${port}\n`);
