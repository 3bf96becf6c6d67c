import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { loadLibc } from '../system/libc.ts';
import { openUdpSource, type UdpSource, type UdpSourceOptions } from './udp-source.ts';

const linux = 'libc' in loadLibc();
const implementations = [
  { name: 'recvmmsg', forceDgram: false, available: linux },
  { name: 'dgram', forceDgram: true, available: true },
];

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A source that copies what it gets, and lets a test wait for a number of datagrams. */
class Recorder {
  readonly datagrams: Buffer[] = [];
  readonly times: number[] = [];
  batchEnds = 0;
  #waiting: { count: number; resolve: () => void } | null = null;

  readonly onDatagram = (bytes: Buffer, start: number, end: number, timeUs: number): void => {
    this.datagrams.push(Buffer.from(bytes.subarray(start, end)));
    this.times.push(timeUs);
    if (this.#waiting !== null && this.datagrams.length >= this.#waiting.count) this.#waiting.resolve();
  };

  readonly onBatchEnd = (): void => {
    this.batchEnds++;
  };

  async count(count: number): Promise<void> {
    if (this.datagrams.length >= count) return;
    await new Promise<void>((resolve) => (this.#waiting = { count, resolve }));
  }
}

async function open(recorder: Recorder, options: Partial<UdpSourceOptions>): Promise<UdpSource> {
  const { onDatagram, onBatchEnd } = recorder;
  const source = await openUdpSource({ host: '127.0.0.1', port: 0, onDatagram, onBatchEnd, ...options });
  cleanups.push(() => source.close());
  return source;
}

function sender(host = '127.0.0.1'): Socket {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  cleanups.push(async () => {
    socket.close();
    await once(socket, 'close');
  });
  return socket;
}

async function send(socket: Socket, data: Buffer, port: number, host = '127.0.0.1'): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.send(data, port, host, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Returns when all was sent; this thread does not get to its event loop meanwhile. */
function sendFromAnotherProcess(port: number, count: number, bytes: number): void {
  const script = `const socket = require('node:dgram').createSocket('udp4');
    let left = ${count};
    const next = () => left-- > 0 ? socket.send(Buffer.alloc(${bytes}), ${port}, '127.0.0.1', next) : socket.close();
    next();`;
  execFileSync(process.execPath, ['-e', script]);
}

function numbered(index: number): Buffer {
  const bytes = Buffer.alloc(100 + (index % 1300), index & 255);
  bytes.writeUInt32BE(index);
  return bytes;
}

for (const { name, forceDgram, available } of implementations) {
  describe.skipIf(!available)(`UDP source: ${name}`, () => {
    test('hands over every datagram, whole, in order, with a time that does not go back', async () => {
      const recorder = new Recorder();
      const startUs = Date.now() * 1000;
      const source = await open(recorder, { forceDgram });
      const socket = sender();
      const total = 5000;
      for (let index = 0; index < total; index++) {
        await send(socket, numbered(index), source.port);
        // Sending does not leave this turn of the loop by itself; a receive buffer of the default size holds 100 of these.
        if (index % 100 === 99) await recorder.count(index + 1);
      }
      await recorder.count(total);
      recorder.datagrams.forEach((datagram, index) => expect(datagram.equals(numbered(index))).toBe(true));
      expect(source.counters()).toMatchObject({ received: total, truncated: 0, readErrors: 0 });
      expect(recorder.times.every((time, index) => index === 0 || time >= (recorder.times[index - 1] ?? 0))).toBe(true);
      expect(recorder.times[0]).toBeGreaterThanOrEqual(startUs - 5000);
      expect(recorder.times.at(-1)).toBeLessThanOrEqual(Date.now() * 1000 + 5000);
    });

    test('keeps each sender in order when several send at once', async () => {
      const recorder = new Recorder();
      const source = await open(recorder, { forceDgram });
      const senders = [sender(), sender(), sender()];
      for (let index = 0; index < 300; index++) {
        await Promise.all(senders.map((socket, who) => send(socket, Buffer.from([who, index >> 8, index & 255]), source.port)));
      }
      await recorder.count(900);
      for (const who of [0, 1, 2]) {
        const numbers = recorder.datagrams.filter((bytes) => bytes[0] === who).map((bytes) => bytes.readUInt16BE(1));
        expect(numbers).toEqual(Array.from({ length: 300 }, (_, index) => index));
      }
    });

    test('takes a 60 KB datagram, an empty one, and the largest that IPv4 can carry', async () => {
      const recorder = new Recorder();
      const source = await open(recorder, { forceDgram });
      const socket = sender();
      const sizes = [60_000, 0, 65_507, 1];
      for (const size of sizes) await send(socket, Buffer.alloc(size, 7), source.port);
      await recorder.count(sizes.length);
      expect(recorder.datagrams.map((bytes) => bytes.length)).toEqual(sizes);
      expect(recorder.datagrams[2]?.every((byte) => byte === 7)).toBe(true);
      expect(source.counters().truncated).toBe(0);
    });

    test('receives afterwards what came while the thread was busy, and announces the end of batches', async () => {
      const recorder = new Recorder();
      const source = await open(recorder, { forceDgram });
      sendFromAnotherProcess(source.port, 500, 1);
      expect(recorder.datagrams).toHaveLength(0);
      await recorder.count(500);
      expect(source.counters().received).toBe(500);
      await new Promise((resolve) => setImmediate(resolve));
      expect(recorder.batchEnds).toBeGreaterThan(0);
      expect(recorder.batchEnds).toBeLessThan(500);
    });

    test('lets other work of the thread go on between batches of a backlog', async () => {
      let immediates = 0;
      const seenAt: number[] = [];
      const recorder = new Recorder();
      const source = await open(recorder, {
        forceDgram,
        onDatagram: (...datagram) => {
          seenAt.push(immediates);
          recorder.onDatagram(...datagram);
        },
      });
      sendFromAnotherProcess(source.port, 500, 1);
      const count = (): void => {
        immediates++;
        if (recorder.datagrams.length < 500) setImmediate(count);
      };
      count();
      await recorder.count(500);
      const perTurn = new Map<number, number>();
      for (const turn of seenAt) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
      expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(256);
    });

    test('promises settle and ticks run after a datagram, without other events', async () => {
      const settled = new Promise<string>((resolve, reject) => {
        void open(new Recorder(), {
          forceDgram,
          onDatagram: () => process.nextTick(() => void Promise.resolve('settled').then(resolve)),
        }).then((source) => send(sender(), Buffer.from('x'), source.port), reject);
      });
      expect(await settled).toBe('settled');
    });

    test('a port in use is one clear error', async () => {
      const source = await open(new Recorder(), { forceDgram });
      await expect(open(new Recorder(), { forceDgram, port: source.port })).rejects.toMatchObject({
        code: 'DT_SOURCE_PORT_IN_USE',
        message: expect.stringMatching(`^cannot listen on UDP 127.0.0.1:${source.port}: the port is in use [^\n]*$`),
      });
    });

    test('an address that the machine does not have is one clear error', async () => {
      await expect(open(new Recorder(), { forceDgram, host: '192.0.2.1' })).rejects.toMatchObject({
        code: 'DT_SOURCE_ADDRESS',
        message: expect.stringContaining('192.0.2.1'),
      });
    });

    test.each([
      { host: '::1', to: '::1' },
      { host: '::', to: '::1' },
      { host: '::', to: '127.0.0.1' },
      { host: '0.0.0.0', to: '127.0.0.1' },
      { host: '::ffff:127.0.0.1', to: '127.0.0.1' },
    ])('listens on $host, receives at $to', async ({ host, to }) => {
      const recorder = new Recorder();
      const source = await open(recorder, { forceDgram, host });
      expect(source.port).toBeGreaterThan(0);
      await send(sender(to), Buffer.from('hello'), source.port, to);
      await recorder.count(1);
      expect(recorder.datagrams[0]?.toString()).toBe('hello');
    });

    test('closing hands over first what the kernel has received', async () => {
      const recorder = new Recorder();
      const source = await open(recorder, { forceDgram });
      sendFromAnotherProcess(source.port, 300, 1);
      await source.close();
      expect(recorder.datagrams).toHaveLength(forceDgram ? 0 : 300);
    });

    test('closing frees the port, also from within a datagram, and nothing comes after', async () => {
      const recorder = new Recorder();
      const opened = await open(recorder, { forceDgram });
      const { port } = opened;
      await opened.close();
      await opened.close();
      const closed = new Promise<void>((resolve, reject) => {
        const onDatagram: UdpSourceOptions['onDatagram'] = (...datagram) => {
          recorder.onDatagram(...datagram);
          source?.close().then(resolve, reject);
        };
        void open(recorder, { forceDgram, port, onDatagram }).then((next) => (source = next), reject);
      });
      let source: UdpSource | undefined;
      await new Promise((resolve) => setImmediate(resolve));
      await send(sender(), Buffer.from('1'), port);
      await closed;
      const seen = recorder.datagrams.length;
      await open(new Recorder(), { forceDgram, port });
      expect(seen).toBe(1);
      expect(source?.counters().received).toBe(1);
    });

    test.skipIf(process.getuid?.() !== 0)('without privileges, says which sysctl to raise, and what it got', () => {
      const script = `process.setgid(65534); process.setuid(65534);
        const { openUdpSource } = await import(${JSON.stringify(new URL('./udp-source.ts', import.meta.url).href)});
        const source = await openUdpSource({ host: '127.0.0.1', port: 0, onDatagram() {},
          receiveBufferBytes: 1 << 30, forceDgram: ${forceDgram} });
        console.log(JSON.stringify(source.warnings)); await source.close();`;
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      expect(output).toMatch(/\d+ bytes instead of 1073741824.*net\.core\.rmem_max=1073741824/);
    });
  });
}

describe.skipIf(!linux)('UDP source on Linux', () => {
  test('counts what the kernel dropped, to the datagram, also when nothing follows', async () => {
    const recorder = new Recorder();
    const source = await open(recorder, { receiveBufferBytes: 65_536 });
    sendFromAnotherProcess(source.port, 3000, 1000);
    const dropped = source.counters().kernelDrops ?? 0;
    expect(dropped).toBeGreaterThan(0);
    await recorder.count(3000 - dropped);
    expect(source.counters()).toMatchObject({ received: 3000 - dropped, kernelDrops: dropped });
    await source.close();
    expect(source.counters().kernelDrops).toBe(dropped);
  });

  test('has nothing to warn about when the buffer is granted', async () => {
    const source = await open(new Recorder(), { receiveBufferBytes: 65_536 });
    expect(source.warnings).toEqual([]);
  });
});

test('dgram says in one warning what is lost', async () => {
  const source = await open(new Recorder(), { forceDgram: true, receiveBufferBytes: 65_536 });
  expect(source.warnings).toHaveLength(1);
  expect(source.warnings[0]).toMatch(/CPU.*drops.*one worker/);
  expect(source.counters().kernelDrops).toBeNull();
});
