/**
 * A process that does the two things that a mirror cannot avoid, and nothing else: what they cost is the floor.
 *
 * `floor.ts receive SECONDS` reads datagrams with recvmmsg and counts them; prints `ready PORT`.
 * `floor.ts client PORT REQUESTS_PER_SECOND|flat SECONDS page|order|FILE [CONNECTIONS]` sends the mirrored request, or the
 * bytes of a file, over kept connections to a server on 127.0.0.1 and reads the answers; prints `ready`.
 * Both end by printing what one unit cost, measured after the warm-up.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { BatchReceiver } from '../packages/doubletake/src/system/batch-receiver.ts';
import { loadLibc } from '../packages/doubletake/src/system/libc.ts';
import { openUdpSocket } from '../packages/doubletake/src/system/udp-socket.ts';
import { printCost } from './measure.ts';
import { warmUpSeconds } from './scenarios.ts';
import { requestTexts } from './traffic.ts';

const usualConnections = 64;

function receive(seconds: number): void {
  const loaded = loadLibc();
  if (!('libc' in loaded)) throw new Error(`recvmmsg ${loaded.unavailable}`);
  const socket = openUdpSocket(loaded.libc, { host: '127.0.0.1', port: 0, receiveBufferBytes: 64 << 20 });
  const receiver = new BatchReceiver(loaded.libc, socket.descriptor, { slots: 128 });
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  process.stdout.write(`ready ${socket.port}\n`);
  let units = 0;
  let firstMs = 0;
  let warm: { units: number; usage: NodeJS.CpuUsage } | undefined;
  for (;;) {
    for (let count = receiver.receive(); count > 0; count = receiver.receive()) units += count;
    const nowMs = performance.now();
    if (units > 0 && firstMs === 0) firstMs = nowMs;
    if (firstMs > 0 && nowMs - firstMs > warmUpSeconds * 1000) warm ??= { units, usage: process.cpuUsage() };
    if (warm && nowMs - firstMs > (warmUpSeconds + seconds) * 1000) return printCost(units - warm.units, warm.usage);
    Atomics.wait(sleeper, 0, 0, 1);
  }
}

async function client(port: number, requestsPerSecond: number | null, seconds: number, request: Buffer, connections: number): Promise<void> {
  const idle: Socket[] = [];
  let due = 0;
  let units = 0;
  const next = (socket: Socket): void => {
    if (requestsPerSecond !== null && due === 0) {
      idle.push(socket);
      return;
    }
    due--;
    socket.write(request);
  };
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket: Socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: Buffer.alloc(4_096),
          // The answer is small and comes in one piece.
          callback: () => {
            units++;
            next(socket);
            return true;
          },
        },
      });
      await once(socket, 'connect');
      return socket;
    }),
  );
  process.stdout.write('ready\n');
  for (const socket of sockets) next(socket);
  const startMs = performance.now();
  let issued = 0;
  let warm: { units: number; usage: NodeJS.CpuUsage } | undefined;
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs > warmUpSeconds * 1000) warm ??= { units, usage: process.cpuUsage() };
    if (warm && elapsedMs > (warmUpSeconds + seconds) * 1000) {
      printCost(units - warm.units, warm.usage);
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    } else if (requestsPerSecond !== null) {
      const fresh = Math.floor((elapsedMs * requestsPerSecond) / 1000) - issued;
      issued += fresh;
      due += fresh;
      while (due > 0 && idle.length > 0) next(idle.pop() as Socket);
    }
  }, 1);
}

const [what, ...args] = process.argv.slice(2);
if (what === 'receive') receive(Number(args[0]));
else {
  const [port, rate, seconds, kind = 'page', connections = usualConnections] = args;
  const request = kind === 'page' || kind === 'order' ? Buffer.from(requestTexts[kind], 'latin1') : readFileSync(kind);
  await client(Number(port), rate === 'flat' ? null : Number(rate), Number(seconds), request, Number(connections));
}
