/**
 * What users of the published VPC mirroring handler suffered, each as a test: packets go through the real UDP socket to
 * a real target. A test says what arrives at the target and what the ledger says of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { total } from '../src/ledger/report.ts';
import { pcapFile } from './support/capture-files.ts';
import { configFile } from './support/config-file.ts';
import { conversation, type ConversationOptions } from './support/conversation.ts';
import { eventually, program, type RecordedRequest, recordingTarget, startMirror, stopAll } from './support/mirror.ts';
import { client, exchanges, get, mirrorToRecorder, ok, post, requestLine, requestLines } from './support/requests.ts';

afterEach(stopAll);

describe('one bad connection does not harm the others', () => {
  test('a malformed chunked body blocks its own request only, and health says what is true', async () => {
    const { target, mirror } = await mirrorToRecorder(['--health', '127.0.0.1:0']);
    const health = `http://${mirror.ready['health']}/healthz`;
    const head = 'POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    await mirror.send(conversation({}, [{ client: `${head}5\r\nhello\r\nNOT A SIZE\r\nmore\r\n0\r\n\r\n` }]));
    for (let index = 0; index < 20; index++) await mirror.send(exchanges(client(index), [get(`/later/${index}`)]));
    await target.received(20);
    expect((await fetch(health)).status).toBe(200);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).not.toContain('POST /broken');
    expect(ledger).toMatchObject({ captured: 21, outcomes: { replayed: 20, blocked: { ambiguous_framing: 1 } } });
  });

  test('a lost segment costs its own request, at once, and no request swallows another', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const packets = exchanges(client(1), [
      post('/upload', 'x'.repeat(4000), 'Cookie: user=alice\r\n'),
      ...Array.from({ length: 19 }, (_, index) => get(`/next/${index}`, 'Cookie: user=bob\r\n')),
    ]);
    const torn = packets.findIndex(({ payload }) => payload.length > 0) + 1;
    // The connection stays open, so that nothing but the acknowledgement tells that the bytes are gone.
    await mirror.send(packets.filter((_, index) => index !== torn).slice(0, -3));
    await target.received(19);
    expect(requestLines(target)).toEqual(Array.from({ length: 19 }, (_, index) => `GET /next/${index}`));
    expect(target.requests.every(({ body, head }) => body.length === 0 && !head.includes('alice'))).toBe(true);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({
      captured: 20,
      outcomes: { replayed: 19, incomplete: { gap: 1 } },
      gaps: { count: 1, bytes: 1460 },
    });
  });

  test('a body that is cut by FIN is counted', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const cut = 'POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n' + 'x'.repeat(3000);
    await mirror.send([...conversation({}, [{ client: cut }]), ...exchanges(client(1), [get('/whole')])]);
    await target.received(1);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).toEqual(['GET /whole']);
    expect(ledger).toMatchObject({ captured: 2, outcomes: { replayed: 1, incomplete: { closed: 1 } } });
  });
});

describe('bytes go to the target and nowhere else', () => {
  test('a redirect is an answer, not an order', async () => {
    const elsewhere = await recordingTarget();
    const { target, mirror } = await mirrorToRecorder([], (socket) =>
      socket.write(`HTTP/1.1 307 Go\r\nLocation: ${elsewhere.url}/stolen\r\nContent-Length: 0\r\n\r\n`),
    );
    await mirror.send(exchanges(client(1), [post('/pay', 'card=4111'), get('/after')]));
    await target.received(2);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).toEqual(['POST /pay', 'GET /after']);
    expect(elsewhere.connections).toBe(0);
    expect(ledger.targets['target']).toMatchObject({ outcomes: { replayed: 2 }, responses: { '3xx': 2 } });
  });

  test('CONNECT is never sent, and an absolute target names no destination', async () => {
    const elsewhere = await recordingTarget();
    const { target, mirror } = await mirrorToRecorder();
    const authority = `127.0.0.1:${elsewhere.port}`;
    const connects = [`CONNECT ${authority} HTTP/1.1\r\n\r\n`, `CONNECT @${authority} HTTP/1.1\r\nHost: a\r\n\r\n`];
    for (const [index, request] of connects.entries()) {
      await mirror.send(conversation({ client: client(index) }, [{ client: request }]));
    }
    const absolute = `GET http://${authority}/page HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
    await mirror.send(exchanges(client(9), [absolute, `GET @${authority}/x HTTP/1.1\r\nHost: ${authority}\r\n\r\n`]));
    await target.received(1);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)[0]).toBe('GET /page');
    expect(target.requests.filter(({ head }) => head.startsWith('CONNECT'))).toEqual([]);
    expect(elsewhere.connections).toBe(0);
    expect(ledger).toMatchObject({ captured: 4, outcomes: { blocked: { connect: 2 } } });
  });

  test('absolute-form and OPTIONS * arrive in the form that the target needs', async () => {
    const { target, mirror } = await mirrorToRecorder();
    await mirror.send(
      exchanges(client(1), [
        'GET http://shop.example/a?b=c HTTP/1.1\r\nHost: shop.example\r\n\r\n',
        'OPTIONS * HTTP/1.1\r\nHost: shop.example\r\n\r\n',
      ]),
    );
    await target.received(2);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).toEqual(['GET /a?b=c', 'OPTIONS *']);
    expect(target.requests[0]?.head).toContain('X-Forwarded-Host: shop.example');
    expect(ledger).toMatchObject({ captured: 2, outcomes: { replayed: 2 } });
  });
});

describe('connections as they are in life', () => {
  test('a connection whose beginning was not seen is replayed at once', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const options = { handshake: false, fin: false };
    await mirror.send(exchanges(client(1), [get('/one'), get('/two'), post('/three', 'body')], options));
    await target.received(3);
    expect(requestLines(target)).toEqual(['GET /one', 'GET /two', 'POST /three']);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 3, outcomes: { replayed: 3 }, gaps: { count: 0 } });
  });

  test.each([50, 59 * 60, 5 * 3600])('after %d s of idle the next request is replayed at once', async (idle) => {
    const target = await recordingTarget();
    const mirror = spawn(process.execPath, [program, 'mirror', '--quiet', '--pcap', '-', '--target', target.url], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    try {
      const open = { client: client(1), fin: false };
      const before = exchanges(client(1), [get('/before')], open);
      const last = before.at(-1);
      const server = before.find((packet) => packet.from === 'server' && packet.payload.length > 0);
      if (last === undefined || server === undefined) throw new Error('a conversation without packets');
      const after = exchanges(client(1), [get('/after')], {
        ...open,
        handshake: false,
        clientInitialSequence: last.sequence,
        serverInitialSequence: server.sequence + server.payload.length,
        startUs: last.timeUs + idle * 1e6,
      });
      // Standard input stays open: only the packets themselves can make the request go out.
      mirror.stdin.write(pcapFile([...before, ...after]));
      await target.received(2);
      expect(requestLines(target)).toEqual(['GET /before', 'GET /after']);
    } finally {
      mirror.kill('SIGTERM');
      await once(mirror, 'exit');
    }
  });

  test('a retransmission after FIN does not send a POST twice', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const packets = exchanges(client(1), [post('/order', 'one piece')]);
    const again = packets.filter(({ from, payload }) => from === 'client' && payload.length > 0);
    await mirror.send([...packets, ...again, ...again, ...exchanges(client(2), [get('/marker')])]);
    await eventually('the marker', () => (requestLines(target).includes('GET /marker') ? true : null));
    const { ledger } = await mirror.stop();
    expect(requestLines(target).toSorted()).toEqual(['GET /marker', 'POST /order']);
    expect(ledger).toMatchObject({ captured: 2, outcomes: { replayed: 2 } });
  });

  test.each([
    ['higher', 900_000],
    ['lower', 20],
    ['far away', 3_000_000_000],
  ])('a 4-tuple used again without FIN, initial number %s: both connections count', async (_, isn) => {
    const { target, mirror } = await mirrorToRecorder();
    const first: ConversationOptions = { fin: false, clientInitialSequence: 500_000, serverInitialSequence: 700_000 };
    const second = { fin: false, clientInitialSequence: isn, serverInitialSequence: isn + 77 };
    await mirror.send(exchanges(client(1), [post('/old', 'first'), get('/old/2')], first));
    await mirror.send(exchanges(client(1), [post('/new', 'second'), get('/new/2')], second));
    await target.received(4);
    expect(requestLines(target).toSorted()).toEqual(['GET /new/2', 'GET /old/2', 'POST /new', 'POST /old']);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 4, connections: 2, outcomes: { replayed: 4 }, gaps: { count: 0 } });
  });

  test('body text that looks like a request is never replayed', async () => {
    const { target, mirror } = await mirrorToRecorder();
    // The capture begins in the middle of an upload, at a segment that begins with the text.
    const text = 'DELETE /x HTTP/1.1\r\nHost: shop.example\r\n\r\n';
    await mirror.send(
      conversation({ client: client(1), handshake: false, fin: false, mss: 1460 }, [
        { client: 'x'.repeat(1460) + text.padEnd(1460, ' ') + text + 'the end' },
        { server: ok },
        { client: get('/real') },
        { server: ok },
      ]),
    );
    await target.received(1);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).toEqual(['GET /real']);
    expect(ledger).toMatchObject({ captured: 1, outcomes: { replayed: 1 }, skippedBytes: 2920 + text.length + 7 });
  });

  test('200 pipelined requests of one connection arrive in their order, each whole', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const requests = Array.from({ length: 200 }, (_, index) =>
      index % 3 === 0 ? post(`/p/${index}`, `body ${index}`) : Buffer.from(get(`/p/${index}`)),
    );
    await mirror.send(conversation({}, [{ client: Buffer.concat(requests) }, { server: ok.repeat(200) }]));
    await target.received(200);
    const { ledger } = await mirror.stop();
    expect(requestLines(target).map((line) => line.split(' ')[1])).toEqual(requests.map((_, index) => `/p/${index}`));
    target.requests.forEach(({ body }, index) => {
      expect(body.toString()).toBe(index % 3 === 0 ? `body ${index}` : '');
    });
    expect(ledger).toMatchObject({ captured: 200, outcomes: { replayed: 200 } });
    expect(ledger.production).toMatchObject({ responses: { '2xx': 200 }, orphans: 0 });
  });
});

describe('sampling keeps users together', () => {
  const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
  const header = ['--percentage', '50', '--percentage-by', 'header', '--percentage-by-header', 'X-User'];
  /** Who sent each request that arrived, by the path `/user/n`. */
  const arrivals = (requests: readonly RecordedRequest[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const request of requests) {
      const user = requestLine(request).split('/')[1] ?? '';
      counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    return counts;
  };
  const expectWholeUsers = (counts: Map<string, number>, each: number): void => {
    expect(new Set(counts.values())).toEqual(new Set([each]));
    expect(counts.size).toBeGreaterThan(users.length * 0.2);
    expect(counts.size).toBeLessThan(users.length * 0.8);
  };

  test('by header: all requests of a user who is in, none of one who is out', async () => {
    const { target, mirror } = await mirrorToRecorder(header);
    for (let round = 0; round < 5; round++) {
      for (const [index, user] of users.entries()) {
        await mirror.send(exchanges(client(round * 100 + index), [get(`/${user}/${round}`, `X-User: ${user}\r\n`)]));
      }
    }
    const { ledger } = await mirror.stop();
    const counts = arrivals(target.requests);
    expectWholeUsers(counts, 5);
    const replayed = counts.size * 5;
    expect(ledger).toMatchObject({
      captured: 300,
      outcomes: { replayed, sampled_out: 300 - replayed },
      sampling: { headerAbsent: 0 },
    });
  });

  test('without the header: by remote address, and the ledger says how many', async () => {
    const { target, mirror } = await mirrorToRecorder(header);
    for (let round = 0; round < 4; round++) {
      for (const [index, user] of users.entries()) {
        await mirror.send(exchanges(`10.7.0.${index}:${30_000 + round}`, [get(`/${user}/${round}`)]));
      }
    }
    const { ledger } = await mirror.stop();
    expectWholeUsers(arrivals(target.requests), 4);
    expect(ledger).toMatchObject({ captured: 240, sampling: { headerAbsent: 240 } });
  });

  test('by remote address: the client that the load balancer names, not the balancer', async () => {
    const { target, mirror } = await mirrorToRecorder(['--percentage', '50', '--percentage-by', 'remote-address']);
    for (let round = 0; round < 4; round++) {
      const requests = users.map((user, index) => get(`/${user}/${round}`, `X-Forwarded-For: 203.0.113.${index}\r\n`));
      // Two nodes of the balancer share out the users' requests.
      await mirror.send(exchanges(`10.0.0.${1 + (round % 2)}:${30_000 + round}`, requests));
    }
    const { ledger } = await mirror.stop();
    expectWholeUsers(arrivals(target.requests), 4);
    expect(total(ledger.outcomes)).toBe(240);
  });
});

describe('frames and protocols', () => {
  test.each([9001, 60_000])('a frame of %d bytes gives its request and the next', async (size) => {
    const { target, mirror } = await mirrorToRecorder();
    const body = Buffer.alloc(size - 54 - 87, 'jumbo ');
    await mirror.send(exchanges(client(1), [post('/jumbo', body), get('/next')], { mss: 65_000 }));
    await target.received(2);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).toEqual(['POST /jumbo', 'GET /next']);
    expect(target.requests[0]?.body.equals(body)).toBe(true);
    expect(ledger).toMatchObject({ captured: 2, outcomes: { replayed: 2 }, gaps: { bytes: 0 } });
  });

  test('WebSocket, HTTP/2 and TLS are recognised and left alone', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
    const hidden = get('/hidden');
    await mirror.send(
      conversation({ client: client(1) }, [
        { client: get('/chat', upgrade) },
        { server: `HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n` },
        { client: hidden },
        { server: ok },
      ]),
    );
    await mirror.send(conversation({ client: client(2) }, [{ client: `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}` }]));
    await mirror.send(
      conversation({ client: client(3) }, [{ client: `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${hidden}` }]),
    );
    await mirror.send(exchanges(client(4), [get('/plain')]));
    await target.received(1);
    const { ledger } = await mirror.stop();
    expect(requestLines(target)).toEqual(['GET /plain']);
    expect(ledger).toMatchObject({
      captured: 2,
      outcomes: { replayed: 1, blocked: { upgrade: 1 } },
      other: { websocket: 1, http2: 1, tls: 1 },
    });
  });
});

describe('bounds and an orderly end', () => {
  test('file descriptors run out: requests get an outcome, and when there are some again all is well', async () => {
    const held: Socket[] = [];
    let open = false;
    const target = await recordingTarget((socket) => (open ? socket.write(ok) : held.push(socket)));
    const args = ['--vxlan', '127.0.0.1:0', '--target', target.url, '--timeout', '2s'];
    const mirror = await startMirror(args, { descriptorsMax: 40 });
    for (let index = 0; index < 300; index++) await mirror.send(exchanges(client(index), [get(`/crowd/${index}`)]));
    await mirror.ledgerWhen('the crowd to be captured', ({ captured }) => captured === 300);
    expect(held.length).toBeGreaterThan(0);
    expect(held.length).toBeLessThan(40);
    open = true;
    for (const socket of held) socket.write(ok);
    await mirror.ledgerWhen('the crowd to end', ({ inFlight }) => inFlight === 0);
    const before = target.requests.length;
    for (let index = 1000; index < 1020; index++) await mirror.send(exchanges(client(index), [get(`/after/${index}`)]));
    await target.received(before + 20);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 320, inFlight: 0 });
    expect(total(ledger.outcomes)).toBe(320);
    expect(ledger.outcomes['replayed']).toBe(target.requests.length);
  });

  test('a request line without end and a body above the limit do not grow the process', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const { residentMb } = mirror.memory();
    const chunk = Buffer.alloc(60_000, 'a');
    const big = { fin: false, mss: 60_000, acks: false };
    const endless = { client: Buffer.concat([Buffer.from('GET /'), ...Array.from({ length: 400 }, () => chunk)]) };
    await mirror.sendPaced(conversation({ ...big, client: client(1) }, [endless]));
    const huge = post('/huge', Buffer.concat(Array.from({ length: 1200 }, () => chunk)));
    await mirror.sendPaced(conversation({ ...big, client: client(2) }, [{ client: huge }, { server: ok }]));
    // What waits behind a hole that nothing explains is held, within its bound.
    const holed = conversation({ ...big, client: client(3) }, [{ client: huge }]).filter((_, index) => index !== 4);
    await mirror.sendPaced(holed);
    await mirror.send(exchanges(client(4), [get('/after')]));
    await target.received(1);
    const { peakMb } = mirror.memory();
    const { ledger, code } = await mirror.stop();
    expect(requestLines(target)).toEqual(['GET /after']);
    expect(ledger.outcomes).toMatchObject({ replayed: 1, dropped: { too_large: 2 }, incomplete: { gap: 1 } });
    expect(ledger.packets).toMatchObject({ kernelDrops: 0 });
    expect(ledger.skippedBytes).toBeGreaterThan(20_000_000);
    expect(peakMb - residentMb).toBeLessThan(150);
    expect(code).toBe(0);
  });

  test('responses are paired, and SIGTERM lets requests under way end', async () => {
    const waiting: Socket[] = [];
    const { target, mirror } = await mirrorToRecorder(['--health', '127.0.0.1:0'], (socket) => waiting.push(socket));
    const health = `http://${mirror.ready['health']}/healthz`;
    for (let index = 0; index < 10; index++) await mirror.send(exchanges(client(index), [get(`/slow/${index}`)]));
    await target.received(10);
    mirror.child.kill('SIGTERM');
    let answer = await fetch(health);
    while (answer.status === 200) answer = await fetch(health);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('draining')]);
    for (const socket of waiting) socket.write(ok);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({
      captured: 10,
      outcomes: { replayed: 10 },
      production: { responses: { '2xx': 10 }, orphans: 0 },
    });
  });

  test('a second signal stops at once, and what was under way is counted', async () => {
    // A drain would outlast the test.
    const patient = configFile({ drain: '10m' });
    const { target, mirror } = await mirrorToRecorder([patient, '--health', '127.0.0.1:0'], () => {});
    for (let index = 0; index < 10; index++) await mirror.send(exchanges(client(index), [get(`/never/${index}`)]));
    await target.received(10);
    mirror.child.kill('SIGTERM');
    while ((await fetch(`http://${mirror.ready['health']}/healthz`)).status === 200);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 10, outcomes: { dropped: { shutdown: 10 } }, inFlight: 0 });
  });
});
