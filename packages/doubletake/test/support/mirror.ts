/**
 * Runs the real command line for end-to-end tests:
 *
 *     const target = await recordingTarget();
 *     const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url]);
 *     await mirror.send(conversation({}, [...]));          VXLAN datagrams through a real UDP socket
 *     await target.received(2);                            waits for the condition, not for a time
 *     const { ledger, code } = await mirror.stop();
 *
 * `sendPaced` is `send` for much data; `runCli` runs a command that ends by itself.
 * What was started is stopped by `stop`, or after the test by `stopAll` in an `afterEach`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { LedgerReport } from '../../src/ledger/report.ts';
import { vxlan } from './frames.ts';
import { listen } from './replay-servers.ts';

export const program = fileURLToPath(new URL('../../bin/doubletake.js', import.meta.url));

const running = new Set<{ stop(): Promise<unknown> }>();

/** Stops every mirror and target that a test left running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((started) => started.stop()));
}

/** Waits until `read` returns something other than null; says what was waited for when it takes longer than it may. */
export async function eventually<T>(what: string, read: () => T | null | Promise<T | null>, timeoutMs = 15_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== null) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command that ends by itself; `input` may be made while it is read. */
export function runCli(args: readonly string[], input?: Buffer | Iterable<Buffer>): Promise<Finished> {
  return finished(spawnCli(args, input));
}

/** The same, with the most memory it was seen to have. */
export async function runCliMeasured(
  args: readonly string[],
  input: Buffer | Iterable<Buffer>,
): Promise<Finished & { peakMb: number }> {
  const child = spawnCli(args, input);
  let peakMb = 0;
  const timer = setInterval(() => {
    // A process that has just ended has no memory left to tell of.
    if (child.exitCode === null) peakMb = Math.max(peakMb, memoryOf(child).peakMb || 0);
  }, 20);
  const result = await finished(child);
  clearInterval(timer);
  return { ...result, peakMb };
}

function spawnCli(args: readonly string[], input: Buffer | Iterable<Buffer> = Buffer.alloc(0)): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  // A command that ends early leaves the rest of its input.
  const pieces = Buffer.isBuffer(input) ? [input] : input;
  Readable.from(pieces, { objectMode: false }).pipe(child.stdin).on('error', () => {});
  return child;
}

function finished(child: ChildProcess): Promise<Finished> {
  const result: Finished = { code: null, stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...result, code })));
}

export interface Stopped extends Finished {
  ledger: LedgerReport;
}

export interface RunningMirror {
  child: ChildProcess;
  /** `ready` line split into its parts: `{ vxlan: '127.0.0.1:4789' }`. */
  ready: Record<string, string>;
  /** Of VXLAN, or of GENEVE. */
  tunnelPort: number;
  stderr(): string;
  /** Sends frames as VXLAN datagrams, in order, each handed to the kernel before the next. */
  send(packets: readonly { frame: Buffer }[], vni?: number): Promise<void>;
  /** The same, never further ahead of what the mirror has read than its socket's buffer surely holds. */
  sendPaced(packets: Iterable<{ frame: Buffer }>, vni?: number): Promise<void>;
  /** Sends UDP payloads as they are. */
  sendRaw(payloads: readonly Buffer[]): Promise<void>;
  /** The ledger as of now (SIGUSR2), when `--ledger` was not given by the test itself. */
  ledgerNow(): Promise<LedgerReport>;
  /** Waits until the ledger fulfils a condition. */
  ledgerWhen(what: string, condition: (ledger: LedgerReport) => boolean): Promise<LedgerReport>;
  /** Memory of the process in MB: what is resident now, and the most that ever was. */
  memory(): Memory;
  stop(signal?: NodeJS.Signals): Promise<Stopped>;
}

export interface Memory {
  residentMb: number;
  peakMb: number;
}

/** Memory of a running process, as the kernel counts it. */
export function memoryOf(child: ChildProcess): Memory {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const megabytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}

export interface MirrorOptions {
  /** `ulimit -n` of the process. */
  descriptorsMax?: number;
  /** The program to run, with what stands before its arguments; this checkout's by default. */
  command?: readonly string[];
}

/** On a machine that has other things to do a start has taken more than fifteen seconds. */
const readyMsMax = 25_000;

/** The kernel counts a small datagram as about 1 KB and a large one as up to twice its size. */
const aheadBytesMax = 8 * 1024 * 1024;
const aheadPacketsMax = 8_000;

/** Starts `doubletake mirror` and waits for its ready line; rejects with what it printed when it ends before. */
export async function startMirror(args: readonly string[], options: MirrorOptions = {}): Promise<RunningMirror> {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-test-'));
  const ledgerFile = join(folder, 'ledger.json');
  const base = options.command ?? [process.execPath, program];
  const command = [...base, 'mirror', '--ledger', ledgerFile, ...args];
  const limit = options.descriptorsMax === undefined ? '' : `ulimit -n ${options.descriptorsMax}; `;
  const child = spawn('bash', ['-c', `${limit}exec "$@"`, 'bash', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let ended = false;
  const end = finished(child).then((result) => {
    ended = true;
    return result;
  });
  const line = await eventually('the ready line', () => {
    const ready = /^ready .*\n/m.exec(stderr)?.[0];
    if (ready !== undefined) return ready.trimEnd();
    if (ended) throw new Error(`the mirror ended: ${stderr}`);
    return null;
  }, readyMsMax);
  const ready = Object.fromEntries(
    line
      .split(' ')
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const tunnelPort = Number((ready['vxlan'] ?? ready['geneve'])?.split(':').at(-1) ?? 0);
  const socket = createSocket('udp4');
  const sendRaw = async (payloads: readonly Buffer[]): Promise<void> => {
    for (const payload of payloads) {
      await new Promise<void>((resolve, reject) => {
        socket.send(payload, tunnelPort, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
      });
    }
  };
  const readLedger = (): LedgerReport | null => {
    try {
      const text = readFileSync(ledgerFile, 'utf8');
      return text.endsWith('}\n') ? (JSON.parse(text) as LedgerReport) : null;
    } catch {
      return null;
    }
  };
  const ledgerNow = async (): Promise<LedgerReport> => {
    rmSync(ledgerFile, { force: true });
    const told = stderr.length;
    child.kill('SIGUSR2');
    // A process that has no file descriptor left prints the ledger instead.
    return eventually('the ledger', () => readLedger() ?? printedLedger(stderr.slice(told)));
  };
  const mirror: RunningMirror = {
    child,
    ready,
    tunnelPort,
    stderr: () => stderr,
    sendRaw,
    send: (packets, vni = 1) => sendRaw(packets.map(({ frame }) => vxlan(vni, frame))),
    async sendPaced(packets, vni = 1) {
      const receivedBefore = (await ledgerNow()).packets.received;
      let sentPackets = 0;
      let aheadBytes = 0;
      let aheadPackets = 0;
      for (const { frame } of packets) {
        await sendRaw([vxlan(vni, frame)]);
        sentPackets++;
        aheadBytes += frame.length;
        if (++aheadPackets < aheadPacketsMax && aheadBytes < aheadBytesMax) continue;
        const received = receivedBefore + sentPackets;
        await mirror.ledgerWhen(`${received} packets`, (ledger) => ledger.packets.received >= received);
        aheadBytes = aheadPackets = 0;
      }
    },
    memory: () => memoryOf(child),
    ledgerNow,
    async ledgerWhen(what, condition) {
      const deadline = performance.now() + 20_000;
      for (;;) {
        const ledger = await ledgerNow();
        if (condition(ledger)) return ledger;
        if (performance.now() > deadline) throw new Error(`waited for ${what}; the ledger: ${JSON.stringify(ledger)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop(signal = 'SIGTERM') {
      running.delete(mirror);
      if (!ended) child.kill(signal);
      const result = await end;
      if (socketOpen) socket.close();
      socketOpen = false;
      const ledger = readLedger();
      rmSync(folder, { recursive: true, force: true });
      if (ledger === null) throw new Error(`the mirror left no ledger: ${result.stderr}`);
      return { ...result, ledger };
    },
  };
  let socketOpen = true;
  running.add(mirror);
  return mirror;
}

export interface RecordedRequest {
  /** Head as it arrived, latin1, without the empty line. */
  head: string;
  body: Buffer;
  /** Everything as it arrived. */
  bytes: Buffer;
  connection: number;
}

export interface RecordingTarget {
  url: string;
  port: number;
  requests: RecordedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Resolves when so many requests have arrived in all. */
  received(count: number): Promise<RecordedRequest[]>;
  stop(): Promise<void>;
}

/**
 * A target that records raw bytes and answers `200` with `ok` (or what `answer` writes). It frames requests by
 * Content-Length and by chunks, which is all that tests send.
 */
export async function recordingTarget(
  answer: (socket: Socket, request: RecordedRequest) => void = (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  port = 0,
): Promise<RecordingTarget> {
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections++;
    let held = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      for (let length = requestLength(held); length > 0; length = requestLength(held)) {
        const bytes = held.subarray(0, length);
        held = held.subarray(length);
        const headEnd = bytes.indexOf('\r\n\r\n');
        const request = {
          head: bytes.toString('latin1', 0, headEnd),
          body: bytes.subarray(headEnd + 4),
          bytes,
          connection,
        };
        requests.push(request);
        answer(socket, request);
      }
    });
  });
  const bound = await listen(server, port);
  const target: RecordingTarget = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    get connections() {
      return connections;
    },
    received: (count) =>
      eventually(`${count} requests at the target, which has ${requests.length}`, () =>
        requests.length >= count ? requests : null,
      ),
    stop: () => {
      running.delete(target);
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  running.add(target);
  return target;
}

function printedLedger(text: string): LedgerReport | null {
  const line = /^\{.*"captured".*\}$/m.exec(text)?.[0];
  return line === undefined ? null : (JSON.parse(line) as LedgerReport);
}

/** Bytes of the first request in `bytes`, 0 while it is not whole. */
function requestLength(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  const head = bytes.toString('latin1', 0, headEnd);
  if (/^transfer-encoding:\s*chunked/im.test(head)) return chunkedEnd(bytes, headEnd + 4);
  const length = headEnd + 4 + Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
  return bytes.length >= length ? length : 0;
}

/** Offset behind a chunked body and its trailers, 0 while it is not whole. */
function chunkedEnd(bytes: Buffer, start: number): number {
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return 0;
    const size = parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', lineEnd);
      return end < 0 ? 0 : end + 4;
    }
    at = lineEnd + 2 + size + 2;
    if (at > bytes.length) return 0;
  }
}
