/**
 * A process that asks a server on 127.0.0.1 at an even rate over kept connections, one request at a time on each, and
 * prints what it saw: `asker.ts PORT REQUESTS_PER_SECOND CONNECTIONS SECONDS`. The warm-up is not measured.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { percentile } from './measure.ts';
import { warmUpSeconds } from './scenarios.ts';
import { requestTexts } from './traffic.ts';

/** Milliseconds from the time at which a request was due to its whole answer. */
export interface AskerReport {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const [port = 0, requestsPerSecond = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);
const request = Buffer.from(requestTexts.page, 'latin1');
const samples = new Float64Array(requestsPerSecond * seconds);
let count = 0;
const startMs = performance.now();
const idle: Socket[] = [];
/** When the requests that found no idle connection were due. */
const late: number[] = [];
const dueMs = new Map<Socket, number>();

function ask(socket: Socket, atMs: number): void {
  dueMs.set(socket, atMs);
  socket.write(request);
}

function answered(socket: Socket): void {
  const nowMs = performance.now();
  const askedMs = dueMs.get(socket) ?? nowMs;
  if (askedMs - startMs > warmUpSeconds * 1000 && count < samples.length) samples[count++] = nowMs - askedMs;
  const next = late.shift();
  if (next === undefined) idle.push(socket);
  else ask(socket, next);
}

for (let index = 0; index < connections; index++) {
  const socket: Socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    // The answer is small and comes in one piece.
    onread: { buffer: Buffer.alloc(4_096), callback: () => (answered(socket), true) },
  });
  await once(socket, 'connect');
  idle.push(socket);
}
process.stdout.write('ready\n');
const beganMs = performance.now();
let issued = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - beganMs;
  for (const due = (elapsedMs * requestsPerSecond) / 1000; issued < due; issued++) {
    const atMs = beganMs + (issued * 1000) / requestsPerSecond;
    const socket = idle.pop();
    if (socket === undefined) late.push(atMs);
    else ask(socket, atMs);
  }
  if (elapsedMs < (warmUpSeconds + seconds) * 1000) return;
  clearInterval(timer);
  const sorted = samples.subarray(0, count).toSorted();
  const report: AskerReport = { requests: count, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs: percentile(sorted, 1) };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
}, 1);
