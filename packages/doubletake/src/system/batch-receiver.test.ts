import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchReceiver } from './batch-receiver.ts';
import { loadLibc } from './libc.ts';
import { openUdpSocket, type UdpSocket } from './udp-socket.ts';

const result = loadLibc();

function texts(receiver: BatchReceiver, count: number): string[] {
  return Array.from({ length: count }, (_, slot) => {
    const start = slot * receiver.stride;
    return receiver.bytes.toString('latin1', start, start + receiver.length(slot));
  });
}

describe.skipIf('unavailable' in result)('batch receiver', () => {
  if ('unavailable' in result) return;
  const { libc } = result;
  let socket: UdpSocket;
  beforeEach(() => {
    socket = openUdpSocket(libc, { host: '127.0.0.1', port: 0, receiveBufferBytes: 1 << 20 });
  });
  afterEach(() => {
    libc.close(socket.descriptor);
  });

  async function send(...messages: string[]): Promise<void> {
    const sender = createSocket('udp4');
    for (const message of messages) {
      await new Promise((resolve) => sender.send(message, socket.port, '127.0.0.1', resolve));
    }
    await new Promise<void>((resolve) => sender.close(resolve));
  }

  test('reads no more than its slots at once, and nothing from an empty socket', async () => {
    const receiver = new BatchReceiver(libc, socket.descriptor, { slots: 2 });
    expect(receiver.receive()).toBe(0);
    await send('a', 'bb', 'ccc');
    expect(texts(receiver, receiver.receive())).toEqual(['a', 'bb']);
    expect(texts(receiver, receiver.receive())).toEqual(['ccc']);
    expect(receiver.receive()).toBe(0);
    expect(receiver.readErrors).toBe(0);
  });

  test('flags a datagram that is longer than its slot, and spoils no other', async () => {
    const receiver = new BatchReceiver(libc, socket.descriptor, { slots: 4, slotBytes: 8 });
    await send('12345678', 'abcdefghi', 'x');
    expect(texts(receiver, receiver.receive())).toEqual(['12345678', 'abcdefgh', 'x']);
    expect([0, 1, 2].map((slot) => receiver.truncated(slot))).toEqual([false, true, false]);
  });

  test('a socket that is gone is our own error, not an empty one', () => {
    const receiver = new BatchReceiver(libc, -1, { slots: 2 });
    expect(() => receiver.receive()).toThrow('EBADF');
  });
});
