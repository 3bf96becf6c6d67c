import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/support/mirror.ts';
import { rawClient } from '../../test/support/raw-client.ts';
import { EventStreams } from './event-streams.ts';

/** Serves streams; its address. */
async function serve(streams: EventStreams): Promise<string> {
  const server = createServer((_request, response) => streams.begin(response, {}, null, []));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    streams.close();
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a page that does not read what comes is let go, and the others go on', async () => {
  const streams = new EventStreams();
  const at = await serve(streams);
  const slow = await rawClient(at);
  slow.socket.pause();
  const quick = await rawClient(at);
  let read = 0;
  quick.socket.on('data', (piece) => (read += piece.length));
  for (const page of [slow, quick]) page.send(`GET / HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
  await eventually('both', () => (streams.open === 2 ? true : null));
  const text = 'x'.repeat(100_000);
  let sent = 0;
  await eventually('the slow one to be gone', () => {
    // The quick one gets no more than it has room for.
    if (sent - read < 500_000) streams.send('large', () => ({ text }));
    sent = Math.max(sent, read) + text.length;
    return streams.open === 1 ? true : null;
  });
  streams.send('last', () => ({}));
  await eventually('the last event', () => (quick.received().endsWith('event: last\ndata: {}\n\n\r\n') ? true : null));
});

test('nothing is made into text where nobody listens', () => {
  const streams = new EventStreams();
  onTestFinished(() => streams.close());
  streams.send('any', () => {
    throw new Error('asked for');
  });
  expect(streams.open).toBe(0);
});
