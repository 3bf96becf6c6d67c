import { execFileSync } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { imbalances } from '../src/ledger/report.ts';
import { eventually, type RecordedRequest, type RecordingTarget, recordingTarget, type RunningMirror, runCli, startMirror, stopAll } from './support/mirror.ts';
import { answersIn, rawClient } from './support/raw-client.ts';

afterEach(stopAll);

interface Sink {
  target: RecordingTarget;
  mirror: RunningMirror;
  address: string;
}

async function startSink(...more: string[]): Promise<Sink> {
  const target = await recordingTarget();
  const mirror = await startMirror(['--http-sink', '127.0.0.1:0', '--methods', 'all', '--target', target.url, ...more]);
  return { target, mirror, address: mirror.ready['http-sink'] ?? '' };
}

/** Start line and headers, without those that every replayed request gets. */
function ownLines({ head }: RecordedRequest): string[] {
  return head.split('\r\n').filter((line) => !/^(?:X-Doubletake-|X-Forwarded-(?:Port|Proto|Host):)/.test(line));
}

describe('--http-sink', () => {
  test('a copy is answered and replayed as it came, and the ledger says that no response came with it', async () => {
    const { target, mirror, address } = await startSink('--host', 'original');
    const client = await rawClient(address);
    client.send('GET /a%2Fb?x=%20 HTTP/1.1\r\nHost: shop.example\r\nX-Odd:  two  \r\n\r\n');
    await client.until('an answer', (text) => text === 'HTTP/1.1 204 No Content\r\n\r\n');
    client.send('POST /p HTTP/1.1\r\nhost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n');
    await client.until('two answers', (text) => answersIn(text) === 2);
    const [get, post] = await target.received(2);
    const { ledger, code } = await mirror.stop();
    expect(get && ownLines(get)).toEqual(['GET /a%2Fb?x=%20 HTTP/1.1', 'Host: shop.example', 'X-Odd:  two  ', 'X-Forwarded-For: 127.0.0.1']);
    expect(post?.body.toString()).toBe('3\r\nabc\r\n0\r\nT: 1\r\n\r\n');
    expect(code).toBe(0);
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger).toMatchObject({
      captured: 2,
      outcomes: { replayed: 2 },
      connections: 1,
      fidelity: { whole: 0, no_response: 2, host_restored: 0 },
      sink: { refused: 0, timedOut: 0, rejected: 0 },
      packets: { received: 0 },
    });
  });

  test('the answers do not wait for a target that never answers', async () => {
    const target = await recordingTarget(() => {});
    const mirror = await startMirror(['--http-sink', '127.0.0.1:0', '--target', target.url, '--timeout', '1h']);
    const client = await rawClient(mirror.ready['http-sink']);
    for (let count = 1; count <= 50; count++) {
      client.send(`GET /${count} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.until(`answer ${count}`, (text) => answersIn(text) === count);
    }
    // Requests that came one behind the other on the proxy's connection do not wait for each other.
    await target.received(50);
    await mirror.ledgerWhen('all in flight', ({ captured, inFlight }) => captured === 50 && inFlight === 50);
  });

  test('HTTP/1.0 without keep-alive, as nginx sends by default, is answered and closed', async () => {
    const { target, address } = await startSink();
    const client = await rawClient(address);
    client.send('GET /old HTTP/1.0\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.closed()).toBe('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    const kept = await rawClient(address);
    kept.send('GET /kept HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
    await kept.until('an answer', (text) => text === 'HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n');
    kept.send('GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await kept.closed();
    expect((await target.received(3)).map(({ head }) => head.split(' ')[1]).toSorted()).toEqual(['/again', '/kept', '/old']);
  });

  test('a client that waits for a sign before it sends the body gets it, also behind another request', async () => {
    const { target, address } = await startSink();
    const client = await rawClient(address);
    const waiting = 'POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';
    client.send(waiting);
    await client.until('100', (text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send(`abc${waiting}`);
    await client.until('204 and 100', (text) => text.endsWith('204 No Content\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'));
    client.send('de');
    client.send('f');
    await client.until('204', (text) => answersIn(text) === 2);
    expect((await target.received(2)).map(({ body }) => body.toString())).toEqual(['abc', 'def']);
  });

  test.each([
    ['no HTTP', 'hello there, how are you?\r\n\r\n', '400 Bad Request', { rejected: 1 }, {}],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400 Bad Request', { rejected: 1 }, {}],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', '400 Bad Request', { rejected: 1 }, { blocked: { ambiguous_framing: 1 } }],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', '405 Method Not Allowed', { rejected: 1 }, { blocked: { connect: 1 } }],
    ['an endless head', `GET / HTTP/1.1\r\nX: ${'x'.repeat(300_000)}`, '431 Request Header', { rejected: 1 }, { dropped: { too_large: 1 } }],
  ])('%s is refused, closed and counted', async (_, bytes, status, sink, outcomes) => {
    const { mirror, target, address } = await startSink();
    const client = await rawClient(address);
    client.send(bytes);
    expect(await client.closed()).toContain(`HTTP/1.1 ${status}`);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ sink, outcomes });
    expect(target.requests).toEqual([]);
  });

  test('a copy cut off in the middle ends as incomplete, and a stop does not wait for one for long', async () => {
    const { mirror, address } = await startSink();
    const [cut, open] = [await rawClient(address), await rawClient(address)];
    cut.send('POST /cut HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc');
    open.send('POST /open HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc');
    await mirror.ledgerWhen('both heads', ({ captured }) => captured === 2);
    cut.socket.destroy();
    await mirror.ledgerWhen('the cut one', ({ outcomes }) => JSON.stringify(outcomes).includes('"closed":1'));
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 2, inFlight: 0, outcomes: { incomplete: { closed: 2 } }, fidelity: { unfinished: 2 } });
  });

  test('a stop lets a request that is being sent come to its end', async () => {
    const { mirror, target, address } = await startSink();
    const client = await rawClient(address);
    client.send('POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await mirror.ledgerWhen('the head', ({ captured }) => captured === 1);
    mirror.child.kill('SIGTERM');
    client.send('def');
    await client.closed();
    await eventually('the end', () => mirror.child.exitCode);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 1, outcomes: { replayed: 1 } });
    expect(target.requests.map(({ body }) => body.toString())).toEqual(['abcdef']);
  });

  test('several workers share the port, and each request is taken once', async () => {
    const { mirror, target, address } = await startSink('--workers', '2');
    const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(address)));
    clients.forEach((client, index) => client.send(`GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`));
    await Promise.all(clients.map((client) => client.until('an answer', (text) => answersIn(text) === 1)));
    const requests = await target.received(40);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 40, outcomes: { replayed: 40 }, connections: 40 });
    expect(new Set(requests.map(({ head }) => /^X-Doubletake-Id: [^-]+-([^-]+)-/m.exec(head)?.[1]))).toEqual(new Set(['0', '1']));
  });

  test('a port in use is one clear line', async () => {
    const { address } = await startSink();
    const { code, stderr } = await runCli(['mirror', '--http-sink', address, '--workers', '2', '--target', `http://${address}`]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^doubletake: cannot listen on TCP \S+: the port is in use .*\[DT_SOURCE_PORT_IN_USE\]\n$/) as string,
    });
  });
});

describe('what proxies change in a copy', () => {
  test.each([
    [
      'Envoy: a suffix on the host, its own address behind the client\'s',
      ['GET /x HTTP/1.1', 'host: shop.example-shadow:8080', 'x-forwarded-for: 198.51.100.7,127.0.0.1', 'x-envoy-internal: true'],
      ['GET /x HTTP/1.1', 'host: shop.example:8080', 'x-envoy-internal: true', 'X-Forwarded-For: 198.51.100.7'],
      { no_response: 1, host_restored: 1, target_restored: 0 },
    ],
    [
      'NGINX under its own path, with the original one in a header',
      ['GET /mirror HTTP/1.0', 'Host: shop.example', 'X-Original-URI: /a%2Fb?q=1', 'X-Real-IP: 198.51.100.7', 'Connection: close'],
      ['GET /a%2Fb?q=1 HTTP/1.0', 'Host: shop.example', 'X-Real-IP: 198.51.100.7', 'X-Forwarded-For: 198.51.100.7', 'Connection: keep-alive'],
      { no_response: 1, host_restored: 0, target_restored: 1 },
    ],
    [
      'a path of the proxy\'s kind without the header, and the header without the path, stay',
      ['GET /mirrors/1 HTTP/1.1', 'Host: a', 'X-Original-URI: /secret'],
      ['GET /mirrors/1 HTTP/1.1', 'Host: a', 'X-Original-URI: /secret', 'X-Forwarded-For: 127.0.0.1'],
      { no_response: 1, host_restored: 0, target_restored: 0 },
    ],
    [
      'the client is who the proxy saw, and what the client claims stays in front of it',
      ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-For: 10.9.8.7, 2001:db8::1'],
      ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-For: 10.9.8.7, 2001:db8::1'],
      { no_response: 1 },
    ],
    [
      'a client that is no address leaves the field alone',
      ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-For: unknown'],
      ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-For: unknown, 127.0.0.1'],
      { no_response: 1 },
    ],
  ])('%s', async (_, sent, arrived, fidelity) => {
    const { mirror, target, address } = await startSink('--host', 'original');
    const client = await rawClient(address);
    client.send(`${sent.join('\r\n')}\r\n\r\n`);
    const [request] = await target.received(1);
    expect(request && ownLines(request)).toEqual(arrived);
    expect((await mirror.stop()).ledger).toMatchObject({ fidelity });
  });
});

describe('HTTP/2 with prior knowledge', () => {
  test('requests arrive as HTTP/1.1, with split cookies joined, bodies and trailers', async () => {
    const { mirror, target, address } = await startSink('--host', 'original');
    const session = connectHttp2(`http://${address}`);
    const get = session.request({ ':path': '/a%2Fb?x=1', ':authority': 'shop.example', 'x-latin': 'caf\xe9', cookie: ['a=1', 'b=2'] });
    expect(await statusOf(get)).toBe(204);
    const sized = session.request({ ':method': 'POST', ':path': '/sized', ':authority': 'a', 'content-length': 3 });
    sized.end('abc');
    expect(await statusOf(sized)).toBe(204);
    const open = session.request({ ':method': 'POST', ':path': '/open', ':authority': 'a', expect: '100-continue' }, { waitForTrailers: true });
    open.on('wantTrailers', () => open.sendTrailers({ 'x-sum': '7' }));
    await new Promise((resolve) => open.once('continue', resolve));
    open.write('de');
    open.end('f');
    expect(await statusOf(open)).toBe(204);
    session.close();
    const [first, second, third] = await target.received(3);
    expect(first && ownLines(first)).toEqual([
      'GET /a%2Fb?x=1 HTTP/1.1',
      'host: shop.example',
      'x-latin: caf\xe9',
      'cookie: a=1; b=2',
      'X-Forwarded-For: 127.0.0.1',
    ]);
    expect(second?.bytes.toString()).toContain('content-length: 3\r\n');
    expect(second?.body.toString()).toBe('abc');
    expect(third?.head).toContain('transfer-encoding: chunked');
    expect(third?.body.toString()).toMatch(/^2\r\nde\r\n1\r\nf\r\n0\r\nx-sum: 7\r\n\r\n$|^3\r\ndef\r\n0\r\nx-sum: 7\r\n\r\n$/);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 3, connections: 1, fidelity: { from_http2: 3 }, outcomes: { replayed: 3 } });
  });

  test('many at a time, on a connection that the stop closes', async () => {
    const { mirror, target, address } = await startSink();
    const session = connectHttp2(`http://${address}`);
    const statuses = await Promise.all(Array.from({ length: 200 }, (_, index) => statusOf(session.request({ ':path': `/${index}` }))));
    expect(new Set(statuses)).toEqual(new Set([204]));
    await target.received(200);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 200, outcomes: { replayed: 200 } });
    session.destroy();
  });

  /** A connection whose frames are sent as they are written here. */
  async function framesTo(address: string): Promise<(...frames: string[]) => void> {
    const client = await rawClient(address);
    client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    client.send(frame(4, 0, 0, ''));
    return (...frames) => client.send(frames.join(''));
  }
  // Of the static table (RFC 7541): :method POST, :scheme http, :path /, :authority; content-length: 3.
  const post = '\x83\x86\x84\x01\x01a';
  const ofThree = '\x0f\x0d\x013';
  const reset = (stream: number): string => frame(3, 0, stream, '\0\0\0\x08');

  test('a stream that is reset in its body is an incomplete request, and more body than announced is none', async () => {
    const { mirror, target, address } = await startSink();
    const send = await framesTo(address);
    send(frame(1, 4, 1, post), frame(0, 0, 1, 'abc'), reset(1));
    await mirror.ledgerWhen('the reset', ({ outcomes }) => JSON.stringify(outcomes).includes('"closed":1'));
    send(frame(1, 4, 3, post + ofThree), frame(0, 1, 3, 'abcGET /smuggled HTTP/1.1\r\n\r\n'));
    await mirror.ledgerWhen('the second', ({ outcomes }) => JSON.stringify(outcomes).includes('"closed":2'));
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 2, outcomes: { incomplete: { closed: 2 } } });
    expect(target.requests).toEqual([]);
  });

  test('a request that is whole and reset before it can be answered is taken, and the connection goes on', async () => {
    const { mirror, target, address } = await startSink();
    const send = await framesTo(address);
    send(frame(1, 4, 1, post + ofThree), frame(0, 0, 1, 'abc'), reset(1));
    // CONNECT has no path, and cannot be written as a request to replay.
    send(frame(1, 4, 3, '\x02\x07CONNECT\x01\x01a'), reset(3));
    send(frame(1, 5, 5, post));
    const requests = await target.received(2);
    expect(requests.map(({ body }) => body.toString())).toEqual(['abc', '']);
    expect((await mirror.stop()).ledger).toMatchObject({ captured: 2, outcomes: { replayed: 2 }, connections: 1, sink: { rejected: 1 } });
  });

  test('curl, with prior knowledge and with an upgrade that is not taken', async () => {
    const { target, address } = await startSink();
    for (const flag of ['--http2-prior-knowledge', '--http2']) {
      const status = execFileSync('curl', ['-s', flag, '-d', 'a=b', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', `http://${address}/x`]);
      expect(status.toString()).toBe(flag === '--http2' ? '204 1.1' : '204 2');
    }
    expect((await target.received(2)).map(({ body }) => body.toString())).toEqual(['a=b', 'a=b']);
  });
});

/** What clients send that mean no good, or were cut off: requests out of pieces, frames out of order, and noise. */
const hostile: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
        'POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n',
        'POST /y HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n',
        'GET http://h/x HTTP/1.0\r\n',
        'CONNECT a:1 HTTP/1.1\r\n\r\n',
        '5\r\nhello\r\n',
        '0\r\n\r\n',
        'X-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n',
        'Host: a-shadow:1\r\n',
        'Connection: close\r\n',
        '\r\n',
        'GET /\r\n',
        'zz\r\n',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((pieces) => pieces.join('')),
  fc
    .array(
      fc.record({
        type: fc.nat(10),
        flags: fc.constantFrom(0, 1, 4, 5, 255),
        stream: fc.constantFrom(0, 1, 3, 5),
        payload: fc.oneof(fc.constant('\x83\x86\x84\x01\x01a'), fc.constant('\0\0\0\x08'), latin1(40)),
      }),
      { maxLength: 12 },
    )
    .map((frames) => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(4, 0, 0, '')}${frames.map((each) => frame(each.type, each.flags, each.stream, each.payload)).join('')}`),
  latin1(300),
);

function latin1(maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
}

test('whatever it is sent, however it is cut, the sink goes on and the sums add up', async () => {
  const { mirror, address } = await startSink();
  const cases = fc.sample(fc.record({ bytes: hostile, cut: fc.nat(100), reset: fc.boolean() }), { numRuns: 300, seed: 7 });
  for (let first = 0; first < cases.length; first += 30) {
    await Promise.all(
      cases.slice(first, first + 30).map(async ({ bytes, cut, reset }) => {
        const client = await rawClient(address);
        client.send(bytes.slice(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        client.send(bytes.slice(cut));
        client.socket.end();
        if (reset) client.socket.destroy();
        await client.closed();
      }),
    );
  }
  const client = await rawClient(address);
  client.send('GET /last HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until('an answer', (text) => answersIn(text) === 1);
  const { ledger, code } = await mirror.stop();
  expect(code).toBe(0);
  expect(imbalances(ledger)).toEqual([]);
  expect(ledger).toMatchObject({ connections: cases.length + 1, inFlight: 0, sink: { refused: 0, timedOut: 0 } });
});

/** A frame of HTTP/2 (RFC 9113 section 4.1), latin1. */
function frame(type: number, flags: number, stream: number, payload: string): string {
  return String.fromCharCode(0, 0, payload.length, type, flags, 0, 0, 0, stream) + payload;
}

function statusOf(stream: import('node:http2').ClientHttp2Stream): Promise<unknown> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => resolve(headers[':status'])).once('error', reject);
    stream.resume();
  });
}
