import fc from 'fast-check';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { createSecureServer, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authority } from '../../test/support/certificates.ts';
import { client, peer, production, startRelay } from '../../test/support/relay.ts';
import { listen, until } from '../../test/support/replay-servers.ts';
import { encodeProxyHeader } from './proxy-header.ts';
import { endpointOf } from './endpoints.ts';

const join = (pieces: readonly (Buffer | null)[]): Buffer => Buffer.concat(pieces.filter((piece) => piece !== null));

/** Bytes that differ at each place of a conversation. */
function bytesOf(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

type Turn = { side: 0 | 1; length: number; wait: boolean };
const turn: fc.Arbitrary<Turn> = fc.record({
  side: fc.constantFrom(0 as const, 1 as const),
  length: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 200_000 })),
  wait: fc.boolean(),
});

describe('what passes a relay', () => {
  test('is every byte, unchanged, both ways, whoever speaks and ends first; and the copy is the same', async () => {
    const behind = await production();
    const { port, copies, relay } = await startRelay(behind.port, {}, 1 << 26);
    let conversations = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 1), async (turns, endsFirst) => {
        const near = client(port);
        const far = await behind.next();
        const sides = [near, far];
        const sent: [Buffer[], Buffer[]] = [[], []];
        for (const [index, { side, length, wait }] of turns.entries()) {
          const bytes = bytesOf(index * 31 + length, length);
          sent[side].push(bytes);
          sides[side].socket.write(bytes);
          const expected = join(sent[side]).length;
          if (wait) await until(() => join(sides[1 - side].received).length === expected);
        }
        const last = 1 - endsFirst;
        sides[endsFirst].socket.end();
        await sides[last].ended;
        // The other side may speak on.
        const more = bytesOf(7, 5_000);
        sent[last].push(more);
        sides[last].socket.end(more);
        expect(await Promise.all([near.closed, far.closed])).toEqual([null, null]);
        expect(join(far.received).equals(join(sent[0]))).toBe(true);
        expect(join(near.received).equals(join(sent[1]))).toBe(true);

        await until(() => copies()[conversations]?.closed === 'fin');
        const copy = copies()[conversations++];
        expect(copy).toMatchObject({ ended: [true, true], gapBytes: 0 });
        expect(copy.bytes.map((pieces, side) => join(pieces).equals(join(sent[side])))).toEqual([true, true]);
      }),
      { numRuns: 40 },
    );
    expect(relay.counts).toEqual({ connections: conversations, refused: 0, unreachable: 0, gaps: 0, gapBytes: 0 });
  });

  test.each(['client', 'production'])('is a reset by the %s, which the other side gets too', async (who) => {
    const behind = await production();
    const { port, copies } = await startRelay(behind.port);
    const near = client(port);
    const far = await behind.next();
    near.socket.write('half a request');
    await until(() => far.received.length > 0);
    const [breaks, suffers] = who === 'client' ? [near, far] : [far, near];
    breaks.socket.resetAndDestroy();
    expect(await suffers.closed).toBe('ECONNRESET');
    await until(() => copies()[0]?.closed === 'reset');
  });

  test.each(['client', 'production'] as const)('is no faster than it is taken: what the other side does not read, the %s cannot send', async (who) => {
    const behind = await production();
    const { port, copies } = await startRelay(behind.port);
    const near = client(port);
    const far = await behind.next();
    const [sends, reads] = who === 'client' ? [near, far] : [far, near];
    const direction = who === 'client' ? 0 : 1;
    reads.socket.pause();
    const total = 64 << 20;
    sends.socket.end(Buffer.alloc(total));
    const relayed = (): number => copies().reduce((sum, { bytes, gapBytes }) => sum + join(bytes[direction]).length + gapBytes, 0);
    // Nothing moves any more once the kernel's buffers are full.
    for (let before = -1, same = 0; same < 10; await delay(20)) {
      const now = relayed();
      same = now === before && now > 0 ? same + 1 : 0;
      before = now;
    }
    expect(relayed()).toBeLessThan(total / 2);
    let taken = 0;
    reads.socket.on('data', (bytes: Buffer) => (taken += bytes.length)).resume();
    await reads.ended;
    reads.socket.end();
    expect(await sends.closed).toBe(null);
    expect({ taken, relayed: relayed() }).toEqual({ taken: total, relayed: total });
  });

  test('passes though nobody reads the copy: what has no room there is a gap, and is counted', async () => {
    const behind = await production((socket) => socket.pipe(socket));
    const { port, relay, copies } = await startRelay(behind.port, {}, 64 << 10);
    const bytes = bytesOf(1, 3 << 20);
    const near = client(port);
    near.socket.end(bytes);
    await near.closed;
    expect(join(near.received).equals(bytes)).toBe(true);
    expect(relay.counts.gapBytes).toBeGreaterThan(5 << 20);
    await until(() => copies()[0].closed === 'fin');
    const copy = copies()[0];
    expect(join(copy.bytes.flat()).length + copy.gapBytes).toBe(2 * bytes.length);
    expect(copy.gapBytes).toBe(relay.counts.gapBytes);
  });
});

describe('who cannot be served', () => {
  test('where production is not there, the client is reset, and it is counted and told once', async () => {
    const behind = await production();
    await new Promise((resolve) => behind.server.close(resolve));
    const { port, relay, warnings } = await startRelay(behind.port);
    const clients = [client(port), client(port)];
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(relay.counts).toMatchObject({ connections: 2, unreachable: 2 });
    expect(warnings).toEqual([expect.stringMatching(/production cannot be reached: .*ECONNREFUSED/) as string]);
  });

  test('beyond the bound on connections, clients are refused and those before are not touched', async () => {
    const behind = await production((socket) => socket.pipe(socket));
    const { port, relay, warnings } = await startRelay(behind.port, { connectionsMax: 1 });
    const first = client(port);
    await behind.next();
    await client(port).ended;
    expect(relay.counts).toMatchObject({ connections: 1, refused: 1 });
    expect(warnings).toEqual([expect.stringContaining('connectionsMax') as string]);
    first.socket.end('still here');
    await first.closed;
    expect(join(first.received).toString()).toBe('still here');
  });

  test('a port that is taken is said to be', async () => {
    const behind = await production();
    await expect(startRelay(behind.port, { listen: { host: '127.0.0.1', port: behind.port } })).rejects.toMatchObject({
      code: 'DT_SOURCE_PORT_IN_USE',
    });
  });
});

describe('PROXY protocol', () => {
  test('the address that came in a header is the copy\'s, and goes on to production', async () => {
    const behind = await production();
    const { port, copies } = await startRelay(behind.port, { acceptProxyProtocol: true, sendProxyProtocol: true });
    const header = encodeProxyHeader(endpointOf('203.0.113.9', 4_711), endpointOf('192.0.2.1', 443));
    const near = client(port);
    // In two pieces, the second with the first bytes of the conversation.
    near.socket.write(header.subarray(0, 5));
    await once(near.socket, 'connect');
    near.socket.end(Buffer.concat([header.subarray(5), Buffer.from('hello')]));
    const far = await behind.next();
    await far.ended;
    expect(join(far.received).toString('hex')).toBe(Buffer.concat([header, Buffer.from('hello')]).toString('hex'));
    expect(copies()).toMatchObject([{ label: `203.0.113.9:4711>127.0.0.1:${behind.port}` }]);
    expect(join(copies()[0].bytes[0]).toString()).toBe('hello');
  });

  test('a connection without the header that was promised is refused, and production never hears of it', async () => {
    let connections = 0;
    const behind = await production(() => connections++);
    const { port } = await startRelay(behind.port, { acceptProxyProtocol: true });
    const near = client(port);
    near.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await near.closed).toBe('ECONNRESET');
    expect(connections).toBe(0);
  });
});

describe('TLS', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  async function secureEcho(files: { certificate: string; key: string }): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createTlsServer(
      { cert: readFileSync(files.certificate), key: readFileSync(files.key), ALPNProtocols: ['http/1.1'], allowHalfOpen: true },
      (socket) => {
        sockets.add(socket.on('error', () => {}));
        socket.pipe(socket);
      },
    );
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return listen(server);
  }

  test('is ended for the client and spoken to production, and the copy is in the clear; a renewed certificate serves the next client', async () => {
    const first = authority.issue('first', 'IP:127.0.0.1');
    const second = authority.issue('second', 'IP:127.0.0.1');
    const behind = await secureEcho(first);
    const files = authority.issue('serving', 'IP:127.0.0.1');
    const { relay, port, copies, warnings } = await startRelay(behind, {
      upstream: { host: '127.0.0.1', port: behind, tls: { ca: authority.pem } },
      tls: { ...files, protocols: ['h2', 'http/1.1'] },
    });
    const talk = async (text: Buffer): Promise<{ name: unknown; answer: Buffer }> => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const secure = connectTls({ socket, host: '127.0.0.1', ca: authority.pem, ALPNProtocols: ['http/1.1'] });
      const near = peer(secure);
      await once(secure, 'secureConnect');
      const name = secure.getPeerCertificate().subject.CN;
      near.socket.end(text);
      expect(await near.closed).toBe(null);
      return { name, answer: join(near.received) };
    };
    const long = bytesOf(3, 1 << 20);
    expect(await talk(long)).toEqual({ name: 'serving', answer: long });
    await until(() => copies()[0]?.closed === 'fin');
    expect(copies()[0].bytes.map((pieces) => join(pieces).equals(long))).toEqual([true, true]);

    copyFileSync(second.certificate, files.certificate);
    relay.reload();
    expect(warnings).toEqual([expect.stringContaining('the old certificate stays') as string]);
    expect(await talk(Buffer.from('a'))).toMatchObject({ name: 'serving' });
    copyFileSync(second.key, files.key);
    relay.reload();
    expect(await talk(Buffer.from('b'))).toEqual({ name: 'second', answer: Buffer.from('b') });
  });

  test('a PROXY header comes before the handshake, on both sides', async () => {
    const files = authority.issue('behind-a-balancer', 'IP:127.0.0.1');
    const behind = await production();
    const { port, copies } = await startRelay(behind.port, {
      tls: { ...files, protocols: ['http/1.1'] },
      acceptProxyProtocol: true,
      sendProxyProtocol: true,
    });
    const header = encodeProxyHeader(endpointOf('2001:db8::9', 4_711), endpointOf('2001:db8::1', 443));
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(header);
    const secure = peer(connectTls({ socket, host: '127.0.0.1', ca: authority.pem }));
    secure.socket.end('hello');
    const far = await behind.next();
    await far.ended;
    expect(join(far.received).toString('hex')).toBe(Buffer.concat([header, Buffer.from('hello')]).toString('hex'));
    expect(copies()[0].label).toBe(`[2001:db8::9]:4711>127.0.0.1:${behind.port}`);
  });

  test('production whose certificate is not to be trusted is not spoken to', async () => {
    const files = authority.issue('other-name', 'DNS:other.test');
    const behind = await secureEcho(files);
    const { port, relay, warnings } = await startRelay(behind, {
      upstream: { host: '127.0.0.1', port: behind, tls: { ca: authority.pem } },
    });
    const near = client(port);
    near.socket.write('secret');
    expect(await near.closed).toBe('ECONNRESET');
    expect({ unreachable: relay.counts.unreachable, warnings }).toEqual({
      unreachable: 1,
      warnings: [expect.stringContaining('127.0.0.1') as string],
    });
  });

  test('a certificate that does not fit its key is an error at start', async () => {
    const one = authority.issue('one', 'DNS:a.test');
    const other = authority.issue('other', 'DNS:a.test');
    const tls = { certificate: one.certificate, key: other.key, protocols: ['http/1.1'] };
    await expect(startRelay(1, { tls })).rejects.toMatchObject({ code: 'DT_PROXY_TLS' });
  });

  test('without an end of TLS here, it passes as it came, HTTP/2 and all', async () => {
    const files = authority.issue('passing', 'IP:127.0.0.1');
    const server = createSecureServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) }, (_, response) => response.end('over h2'));
    onTestFinished(() => void server.close());
    const { port } = await startRelay(await listen(server));
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.pem });
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    let text = '';
    for await (const piece of stream.setEncoding('utf8')) text += String(piece);
    expect(text).toBe('over h2');
  });
});

describe('a stop', () => {
  test('takes no more clients, lets go of those that never spoke, and waits for the rest', async () => {
    const behind = await production();
    const { port, relay, outlet } = await startRelay(behind.port);
    const silent = client(port);
    const unasked = await behind.next();
    unasked.socket.once('end', () => unasked.socket.end());
    const asking = client(port);
    const far = await behind.next();
    asking.socket.write('a request');
    await until(() => far.received.length > 0);
    let stopped = false;
    const stop = relay.stop().then(() => (stopped = true));
    while (!silent.socket.readableEnded) {
      relay.leaveUnknown((id) => id === 2);
      await delay(20);
    }
    silent.socket.end();
    expect(await client(port).closed).toBe('ECONNREFUSED');
    far.socket.write('its answer');
    await until(() => asking.received.length > 0);
    expect(stopped).toBe(false);
    // The worker has read all and knows the connection, whose number is 2, to be idle.
    relay.leaveIdle(outlet, outlet.position, [2]);
    await asking.ended;
    asking.socket.end();
    await far.ended;
    far.socket.end();
    await stop;
    expect(await asking.closed).toBe(null);
  });

  test('that is cut short breaks off what is left', async () => {
    const behind = await production();
    const { port, relay, copies } = await startRelay(behind.port);
    const silent = client(port);
    await behind.next();
    const asking = client(port);
    const far = await behind.next();
    asking.socket.write('a request');
    await until(() => far.received.length > 0);
    const ending = client(port);
    await behind.next();
    ending.socket.end('and no more');
    await until(() => copies().some(({ ended }) => ended[0]));
    const stop = relay.stop();
    relay.abort();
    await stop;
    // Production was sent FIN on this one, so that it cannot be reset towards there; it has to end all the same.
    expect(await ending.closed).toBe('ECONNRESET');
    expect(await silent.closed).toBe('ECONNRESET');
    expect(await asking.closed).toBe('ECONNRESET');
    expect(await far.closed).toBe('ECONNRESET');
  });

  test('does not take a connection for idle on what a worker knew before its last bytes', async () => {
    const behind = await production();
    const { port, relay, outlet } = await startRelay(behind.port);
    const near = client(port);
    const far = await behind.next();
    near.socket.write('first');
    await until(() => far.received.length > 0);
    const before = outlet.position;
    far.socket.write('answer');
    near.socket.write('second');
    await until(() => join(far.received).toString() === 'firstsecond');
    const stop = relay.stop();
    relay.leaveIdle(outlet, before, [1]);
    far.socket.write(' and another');
    await until(() => join(near.received).toString() === 'answer and another');
    far.socket.resetAndDestroy();
    await stop;
    expect(await near.closed).toBe('ECONNRESET');
  });
});
