/**
 * Traffic that is unusual and right: what retransmission, offloading, tunnels, links and clients make of HTTP in life.
 * Packets go through the real UDP socket; the target must get each request as its client meant it.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversation } from './support/conversation.ts';
import { fragmentedTcpFrames, tcpFrame } from './support/frames.ts';
import {
  eventually,
  type RecordedRequest,
  type RecordingTarget,
  type RunningMirror,
  startMirror,
  stopAll,
} from './support/mirror.ts';
import { client, exchanges, get, mirrorToRecorder, ok, post, requestLine } from './support/requests.ts';

/** One mirror for all tests: each uses a connection and paths of its own. */
let mirror: RunningMirror;
let target: RecordingTarget;
let connections = 0;
/** Requests that the tests so far meant to be replayed. */
let expected = 0;

beforeAll(async () => {
  ({ mirror, target } = await mirrorToRecorder());
});

afterAll(stopAll);

function nextClient(): string {
  return client(connections++);
}

/** Waits for these requests and returns them in the order of arrival; no others of that path may come. */
async function arrived(path: string, count: number): Promise<RecordedRequest[]> {
  const mine = (): RecordedRequest[] => target.requests.filter((request) => requestLine(request).includes(` ${path}`));
  await eventually(`${count} requests to ${path}`, () => (mine().length >= count ? true : null));
  expect(mine()).toHaveLength(count);
  expected += count;
  return mine();
}

/** Bytes that show where they belong: no two places look alike. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8) * 17) & 255;
  return bytes;
}

/** A POST of so many bytes in all, of at least 200 and fewer than 10,000. */
function postOfLength(path: string, length: number): Buffer {
  const request = post(path, pattern(length));
  // One digit of the length may go with the bytes.
  const body = length - (request.length - length);
  const fitting = post(path, pattern(body));
  return fitting.length === length ? fitting : post(path, pattern(body + length - fitting.length));
}

function bodyOf(request: Buffer): Buffer {
  return request.subarray(request.indexOf('\r\n\r\n') + 4);
}

/** Client frames that carry `bytes[from..to)` for each range, on a connection that begins with sequence number 1. */
function rangeFrames(from: string, bytes: Buffer, ranges: readonly (readonly [number, number])[]): { frame: Buffer }[] {
  const [source, sourcePort] = from.split(':');
  const ends = { source: source ?? '', sourcePort: Number(sourcePort), acknowledgement: 1 };
  const syn = { frame: tcpFrame({ ...ends, sequence: 0, flags: 0x02 }) };
  const data = ranges.map(([start, end]) => ({
    frame: tcpFrame({ ...ends, sequence: 1 + start, payload: bytes.subarray(start, end) }),
  }));
  return [syn, ...data];
}

describe('segments', () => {
  test.each([
    ['in order', [[0, 1000], [500, 1800], [200, 1200], [1700, 2500], [0, 2500]]],
    ['out of order', [[1700, 2500], [0, 400], [900, 1750], [300, 1000], [100, 2400]]],
    ['from the back', [[2400, 2500], [1500, 2450], [1000, 2000], [10, 1600], [0, 20]]],
  ] as const)('overlapping retransmissions with other split points, %s', async (name, ranges) => {
    const path = `/overlap/${name.replaceAll(' ', '-')}`;
    const request = postOfLength(path, 2500);
    await mirror.send(rangeFrames(nextClient(), request, ranges));
    const [received] = await arrived(path, 1);
    expect(received?.body.equals(bodyOf(request))).toBe(true);
  });

  test('segments of zeros alone are data, also when they are one byte long', async () => {
    const body = Buffer.alloc(5000);
    for (const mss of [1460, 1]) {
      await mirror.send(exchanges(nextClient(), [post(`/zeros/${mss}`, body), get(`/zeros/${mss}/next`)], { mss }));
      const received = await arrived(`/zeros/${mss}`, 2);
      expect(received.map(({ body: { length } }) => length)).toEqual([5000, 0]);
    }
  });

  test('the acknowledgement number moves inside a request', async () => {
    const upload = post('/moving/upload', pattern(9000));
    const parts = [upload.subarray(0, 2000), upload.subarray(2000, 5000), upload.subarray(5000)];
    await mirror.send(
      conversation({ client: nextClient() }, [
        { client: Buffer.concat([Buffer.from(get('/moving/before')), parts[0] ?? Buffer.alloc(0)]) },
        { server: ok },
        { client: parts[1] ?? '' },
        { server: 'HTTP/1.1 100 Continue\r\n\r\n' },
        { client: parts[2] ?? '' },
        { server: ok },
      ]),
    );
    const [before, received] = await arrived('/moving', 2);
    expect(before?.body).toHaveLength(0);
    expect(received?.body.equals(pattern(9000))).toBe(true);
  });

  test('the sequence number wraps inside a body', async () => {
    const options = { clientInitialSequence: 2 ** 32 - 3000, serverInitialSequence: 2 ** 32 - 20 };
    await mirror.send(exchanges(nextClient(), [post('/wrap/body', pattern(8000)), get('/wrap/next')], options));
    const [wrapped] = await arrived('/wrap', 2);
    expect(wrapped?.body.equals(pattern(8000))).toBe(true);
  });

  test('one request in 200 segments, and many requests in one', async () => {
    const long = postOfLength('/split', 1000);
    await mirror.send(exchanges(nextClient(), [long], { mss: 5 }));
    const [split] = await arrived('/split', 1);
    expect(split?.body.equals(bodyOf(long))).toBe(true);
    const many = Array.from({ length: 40 }, (_, index) => get(`/joined/${index}`));
    const turns = [{ client: many.join('') }, { server: ok.repeat(40) }];
    await mirror.send(conversation({ client: nextClient(), mss: 60_000 }, turns));
    const received = await arrived('/joined', 40);
    expect(received.map(requestLine)).toEqual(many.map((_, index) => `GET /joined/${index}`));
  });
});

describe('links and networks', () => {
  test('Ethernet padding behind a short segment is no data', async () => {
    const frame = { padTo: 60, padding: 0x47 };
    await mirror.send(exchanges(nextClient(), [post('/padded', 'exact'), get('/padded/next')], { mss: 5, frame }));
    const [padded] = await arrived('/padded', 2);
    expect(padded?.body.toString()).toBe('exact');
  });

  test('inner 802.1Q and QinQ: the same addresses in two VLANs are two connections', async () => {
    const from = nextClient();
    const tagged = [[7], [7, 42], [42, 7]].map((vlans) =>
      exchanges(from, [post(`/vlan/${vlans.join('-')}`, pattern(3000)), get(`/vlan/${vlans.join('-')}/next`)], {
        frame: { vlans },
      }),
    );
    // Interleaved, packet by packet: with the same sequence numbers they would ruin one another.
    const [first] = tagged;
    await mirror.send((first ?? []).flatMap((_, index) => tagged.flatMap((packets) => packets[index] ?? [])));
    const received = await arrived('/vlan', 6);
    expect(received.filter(({ body }) => body.equals(pattern(3000)))).toHaveLength(3);
  });

  test('the same addresses under two network identifiers are two connections', async () => {
    const from = nextClient();
    await mirror.send(exchanges(from, [get('/tenant/one')], { fin: false }), 100);
    await mirror.send(exchanges(from, [get('/tenant/two')], { fin: false }), 200);
    await arrived('/tenant', 2);
  });

  test('inner IPv6', async () => {
    const ends = { client: '[2001:db8::5]:40000', server: '[2001:db8::80]:80' };
    await mirror.send(conversation(ends, [{ client: post('/ipv6', pattern(4000)) }, { server: ok }]));
    const [received] = await arrived('/ipv6', 1);
    expect(received?.head).toContain('X-Forwarded-For: 2001:db8::5');
    expect(received?.body.equals(pattern(4000))).toBe(true);
  });

  test.each([
    ['IPv4', '10.9.0.1', '10.9.0.2'],
    ['IPv6', '2001:db8::1', '2001:db8::2'],
  ])('inner fragments of %s, in order and reversed', async (name, source, destination) => {
    for (const [index, reversed] of [false, true].entries()) {
      const payload = post(`/fragments/${name}/${index}`, pattern(4000));
      const ends = { source, destination, sourcePort: 50_000 + index };
      const frames = fragmentedTcpFrames({ ...ends, payload, fragmentBytes: 1400, identification: 9 + index });
      await mirror.send((reversed ? frames.toReversed() : frames).map((frame) => ({ frame })));
    }
    const received = await arrived(`/fragments/${name}`, 2);
    expect(received.every(({ body }) => body.equals(pattern(4000)))).toBe(true);
  });

  test('a super-frame of 60 KB, with and without a length in its IP header', async () => {
    for (const zeroLength of [false, true]) {
      const options = { mss: 64_000, frame: { zeroLength } };
      await mirror.send(exchanges(nextClient(), [post(`/super/${zeroLength}`, pattern(60_000))], options));
      const [received] = await arrived(`/super/${zeroLength}`, 1);
      expect(received?.body.equals(pattern(60_000))).toBe(true);
    }
  });
});

describe('requests', () => {
  test.each(['PROPFIND', 'M-SEARCH', 'REPORT', 'BREW', 'x-lower.case'])('the method %s', async (method) => {
    await mirror.send(exchanges(nextClient(), [`${method} /method/${method} HTTP/1.1\r\nHost: a\r\n\r\n`]));
    const [received] = await arrived(`/method/${method}`, 1);
    expect(received && requestLine(received)).toBe(`${method} /method/${method}`);
  });

  test('empty lines before a request are no part of it', async () => {
    await mirror.send(exchanges(nextClient(), [`\r\n\r\n${get('/crlf/1')}`, `\r\n${get('/crlf/2')}`]));
    const received = await arrived('/crlf', 2);
    expect(received.map(requestLine)).toEqual(['GET /crlf/1', 'GET /crlf/2']);
  });

  test('a segment that ends in 0, CR LF, CR LF inside a chunk does not end the body', async () => {
    const data = `not the end: 0\r\n\r\n and on`;
    const head = 'POST /chunk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const wire = `${data.length.toString(16)}\r\n${data}\r\n0\r\nX-Trailer: kept\r\n\r\n`;
    const cut = head.length + wire.indexOf('0\r\n\r\n') + 5;
    await mirror.send(
      conversation({ client: nextClient(), mss: cut }, [
        { client: head + wire },
        { server: ok },
        { client: get('/chunk/next') },
        { server: ok },
      ]),
    );
    const [chunked, next] = await arrived('/chunk', 2);
    expect(chunked?.body.toString()).toBe(wire);
    expect(next && requestLine(next)).toBe('GET /chunk/next');
  });

  test('a body of 50 MB arrives byte for byte', async () => {
    const body = pattern(50 * 1024 * 1024);
    const received = Promise.withResolvers<{ bytes: number; sha256: string }>();
    const server = createServer((request, response) => {
      const hash = createHash('sha256');
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        bytes += chunk.length;
      });
      request.on('end', () => {
        received.resolve({ bytes, sha256: hash.digest('hex') });
        response.end('ok');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const big = await startMirror(['--vxlan', '127.0.0.1:0', '--target', url, '--methods', 'all']);
    try {
      await big.sendPaced(exchanges(client(1), [post('/big', body)], { mss: 60_000 }));
      const sha256 = createHash('sha256').update(body).digest('hex');
      expect(await received.promise).toEqual({ bytes: body.length, sha256 });
      const { ledger } = await big.stop();
      expect(ledger).toMatchObject({ captured: 1, outcomes: { replayed: 1 }, packets: { kernelDrops: 0 } });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

test('after all of these every request was replayed, and no byte was lost or left over', async () => {
  const { ledger, code } = await mirror.stop();
  expect(code).toBe(0);
  expect(ledger).toMatchObject({ captured: expected, outcomes: { replayed: expected }, inFlight: 0 });
  expect(ledger).toMatchObject({ gaps: { count: 0, bytes: 0 }, skippedBytes: 0, packets: { kernelDrops: 0 } });
});
