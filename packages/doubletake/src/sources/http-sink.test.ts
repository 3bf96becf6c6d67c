import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../test/support/replay-servers.ts';
import { type HttpSink, openHttpSink } from './http-sink.ts';
import type { SinkLimits, SinkReader } from './sink-parts.ts';

/** Takes lines: each is a request, answered with its number; `head ` begins one with a body, which ends with a line. */
class LineReader implements SinkReader {
  over = false;
  waitingFor: SinkReader['waitingFor'] = 'request';
  ended: boolean[] = [];
  #text = '';

  read(bytes: Buffer): string {
    this.#text += bytes.toString('latin1');
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    this.waitingFor = this.#text === '' ? 'request' : this.#text.startsWith('head ') ? 'body' : 'head';
    return lines.map((line) => `${line}!`).join('');
  }

  end(timedOut: boolean): void {
    this.ended.push(timedOut);
  }
}

async function start(limits: Partial<SinkLimits>): Promise<{ sink: HttpSink; readers: LineReader[]; dial: () => Promise<Socket> }> {
  const readers: LineReader[] = [];
  const sink = await openHttpSink({
    host: '127.0.0.1',
    port: 0,
    limits,
    open: () => {
      const reader = new LineReader();
      readers.push(reader);
      return reader;
    },
  });
  onTestFinished(() => sink.close(0));
  const dial = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(sink.port, '127.0.0.1', () => resolve(socket));
      socket.on('error', () => {}).resume();
      onTestFinished(() => {
        socket.destroy();
      });
    });
  return { sink, readers, dial };
}

test('a connection beyond the bound is closed and counted, and one that ends makes room', async () => {
  const { sink, dial } = await start({ connectionsMax: 2 });
  const [first] = [await dial(), await dial()];
  const third = await dial();
  await until(() => third.closed);
  expect(sink.counters).toMatchObject({ connections: 2, refused: 1 });
  first?.destroy();
  // Until the sink has noticed, it refuses.
  while (sink.counters.connections < 3) {
    const next = await dial();
    await until(() => sink.counters.connections === 3 || next.closed);
  }
});

test.each([
  ['a head', 'GET /'],
  ['a body', 'head and a part'],
])('%s that takes too long is cut off and counted', async (_, bytes) => {
  const { sink, readers, dial } = await start({ headMsMax: 20, bodyMsMax: 20 });
  const socket = await dial();
  socket.write(bytes);
  await until(() => socket.closed);
  expect(sink.counters.timedOut).toBe(1);
  expect(readers[0]?.ended).toEqual([true]);
});

test('an idle connection that takes too long is closed, and that is nothing to count', async () => {
  const { sink, readers, dial } = await start({ idleMsMax: 20, headMsMax: 20 });
  const socket = await dial();
  socket.write('whole\n');
  await until(() => socket.closed);
  expect(sink.counters.timedOut).toBe(0);
  expect(readers[0]?.ended).toEqual([true]);
});

test('a client that does not close behind the last answer is let go, and that is nothing to count', async () => {
  const { sink, readers, dial } = await start({ headMsMax: 20 });
  const socket = await dial();
  socket.write('last\n');
  await until(() => readers[0] !== undefined);
  if (readers[0] !== undefined) readers[0].over = true;
  socket.write('more\n');
  await until(() => socket.closed);
  expect(sink.counters.timedOut).toBe(0);
});

test('a part of the preface of HTTP/2 that goes on as something else is read from its first byte', async () => {
  const { dial } = await start({});
  const socket = await dial();
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.write('PRI * HT');
  await new Promise((resolve) => setImmediate(resolve));
  socket.write('ML\n');
  await until(() => received === 'PRI * HTML!');
});

test('a client that does not read its answers is not read from beyond a bound', async () => {
  const { readers, dial } = await start({ unreadBytesMax: 1_000 });
  const socket = await dial();
  socket.pause();
  const line = `${'x'.repeat(65_535)}\n`;
  // Far more than the buffers of both sockets hold.
  const lines = 400;
  for (let written = 0; written < lines; written++) socket.write(line);
  await until(() => readers[0] !== undefined);
  await stalled(socket);
  expect(socket.writableLength).toBeGreaterThan(0);
  let received = 0;
  socket.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
  await until(() => received === lines * 65_536);
});

/** Resolves when the kernel has taken no more for many turns of the event loop. */
async function stalled(socket: Socket): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 200; quiet++) {
    const left = socket.writableLength;
    if (left !== before) quiet = 0;
    before = left;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
