import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  gist,
  listen,
  onRequestHeads,
  rawServer,
  replayTarget,
  request,
  send,
  until,
} from '../../test/support/replay-servers.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A server that answers when the test says so: `waiting` holds what it has not answered, by request target. */
async function holdingServer() {
  const waiting = new Map<string, Socket>();
  const order: string[] = [];
  const server = await rawServer((socket) => {
    onRequestHeads(socket, (head) => {
      const path = head.split(' ')[1] ?? '';
      order.push(path);
      waiting.set(path, socket);
    });
  });
  const answer = (path: string): void => {
    waiting.get(path)?.write(OK);
    waiting.delete(path);
  };
  return { ...server, waiting, order, answer };
}

describe('what goes out and what comes back', () => {
  test('the bytes arrive exactly as given, in however many pieces they came', async () => {
    const received: Buffer[] = [];
    const pieces = [
      'pOsT  /odd?a=%zz HTTP/1.1\r\nhOST:x\r\nA: 1\r\na:  2 \r\nTransfer-Encoding: chunked\r\n\r\n',
      `5;ext=1\r\nhello\r\n40000\r\n${'x'.repeat(0x40000)}\r\n0\r\n`,
      'Trailer: t\r\n\r\n',
    ].map((text) => Buffer.from(text, 'latin1'));
    const expected = Buffer.concat(pieces);
    const server = await rawServer((socket) => {
      let seen = 0;
      socket.on('data', (data: Buffer) => {
        received.push(data);
        seen += data.length;
        if (seen === expected.length || seen === expected.length * 2) socket.write(OK);
      });
    });
    const target = replayTarget(server.url);
    const inOne = { bytes: [expected], length: expected.length, method: 'pOsT', lane: null, timeUs: 0, probability: 1 };
    const inPieces = { ...inOne, bytes: pieces };
    expect(gist(await send(target, inOne))).toBe('200');
    expect(gist(await send(target, inPieces))).toBe('200');
    expect(Buffer.concat(received).equals(Buffer.concat([expected, expected]))).toBe(true);
    expect(server.sockets).toHaveLength(1);
  });

  test('node:http takes a 20 MB body, and its answer comes back with head, body and times in order', async () => {
    const server = createServer((incoming, response) => {
      const hash = createHash('sha256');
      incoming.on('data', (data) => hash.update(data));
      incoming.on('end', () => response.setHeader('X-Hash', hash.digest('hex')).end('the body'));
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = new URL(`http://127.0.0.1:${await listen(server)}`);
    const body = Buffer.alloc(20_000_000, 'doubletake');
    const head = Buffer.from(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    const result = await send(replayTarget(url), {
      bytes: [head, body],
      length: head.length + body.length,
      method: 'POST',
      lane: null,
      timeUs: 0,
      probability: 1,
    });
    if (result.outcome !== 'replayed') throw new Error(gist(result));
    const { response } = result;
    expect(response.head.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    expect(response.head.toString('latin1')).toContain(createHash('sha256').update(body).digest('hex'));
    expect(response).toMatchObject({ status: 200, bodyBytes: 8, body: Buffer.from('the body') });
    const times = [response.queuedAtMs, response.sentAtMs, response.firstByteAtMs, response.endAtMs];
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });

  test('redirects are answers like any other, and bodies are not kept unless asked for', async () => {
    let requests = 0;
    const server = await rawServer((socket) =>
      onRequestHeads(socket, () => {
        requests++;
        socket.write('HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 4\r\n\r\nbody');
      }),
    );
    const result = await send(replayTarget(server.url, { keepBodyBytesMax: 0 }), request('/', { method: 'POST' }));
    expect(result).toMatchObject({ outcome: 'replayed', response: { status: 307, body: null, bodyBytes: 4 } });
    expect(requests).toBe(1);
  });
});

describe('order and concurrency', () => {
  test('requests of one lane go one after the other, whatever other lanes do', async () => {
    const server = await holdingServer();
    const target = replayTarget(server.url);
    const lane = {};
    const settled: string[] = [];
    for (const path of ['/a1', '/a2', '/a3']) target.send(request(path, { lane }), () => settled.push(path));
    target.send(request('/b1', { lane: {} }), () => settled.push('/b1'));
    target.send(request('/free'), () => settled.push('/free'));
    for (const path of ['/a1', '/b1', '/free']) await until(() => server.waiting.has(path));
    expect(server.waiting.size).toBe(3);
    expect(target).toMatchObject({ inFlight: 3, queuedRequests: 2 });
    for (const path of ['/free', '/a1', '/b1']) server.answer(path);
    await until(() => server.waiting.has('/a2'));
    expect(server.waiting.has('/a3')).toBe(false);
    server.answer('/a2');
    await until(() => server.waiting.has('/a3'));
    server.answer('/a3');
    await until(() => settled.length === 5);
    expect(settled.filter((path) => path.startsWith('/a'))).toEqual(['/a1', '/a2', '/a3']);
    expect(target).toMatchObject({ inFlight: 0, queuedRequests: 0, queuedBytes: 0 });
  });

  test('a request sent from within settle takes its place behind those already waiting', async () => {
    const server = await holdingServer();
    const target = replayTarget(server.url, { connectionsMax: 1 });
    const lane = {};
    target.send(request('/1', { lane }), () => target.send(request('/3', { lane }), () => {}));
    target.send(request('/2', { lane }), () => {});
    for (const path of ['/1', '/2', '/3']) {
      await until(() => server.waiting.has(path));
      server.answer(path);
    }
    expect(server.order).toEqual(['/1', '/2', '/3']);
  });

  test('no more connections than allowed, shared by thousands of lanes, every request answered once', async () => {
    const server = await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)));
    const target = replayTarget(server.url, { connectionsMax: 4, queueRequestsMax: 10_000 });
    const results = await Promise.all(Array.from({ length: 4000 }, () => send(target, request('/', { lane: {} }))));
    expect(results.every((result) => gist(result) === '200')).toBe(true);
    expect(server.sockets).toHaveLength(4);
  });

  test('nor when the server keeps closing them', async () => {
    let most = 0;
    const server = await rawServer((socket) =>
      onRequestHeads(socket, () => {
        most = Math.max(most, target.openConnections);
        socket.end(OK);
      }),
    );
    const target = replayTarget(server.url, { connectionsMax: 4 });
    const results = await Promise.all(Array.from({ length: 200 }, () => send(target, request('/', { lane: {} }))));
    expect(results.every((result) => gist(result) === '200')).toBe(true);
    expect(most).toBe(4);
  });

  test.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['Keep-Alive: timeout=0', 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok'],
    ['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ])('a connection is not used again after %s', async (_name, answer) => {
    const server = await rawServer((socket) => onRequestHeads(socket, () => socket.write(answer)));
    const target = replayTarget(server.url);
    for (let round = 0; round < 3; round++) expect((await send(target, request('/'))).outcome).toBe('replayed');
    expect(server.sockets).toHaveLength(3);
  });

  test('a connection that is idle for too long, or too old, is closed', async () => {
    const server = await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)));
    for (const limit of [{ idleTimeoutMs: 50 }, { connectionAgeMaxMs: 50 }]) {
      const target = replayTarget(server.url, limit);
      expect(gist(await send(target, request('/')))).toBe('200');
      await until(() => target.openConnections === 0);
      expect(gist(await send(target, request('/')))).toBe('200');
    }
    expect(server.sockets).toHaveLength(4);
  });
});

describe('bounds', () => {
  test('beyond the bound of requests the newest is dropped', async () => {
    const server = await holdingServer();
    const target = replayTarget(server.url, { connectionsMax: 1, queueRequestsMax: 2 });
    const first = send(target, request('/0'));
    await until(() => target.inFlight === 1);
    const second = send(target, request('/1'));
    const third = send(target, request('/2'));
    expect(gist(await send(target, request('/3')))).toBe('dropped queue_full');
    for (const path of ['/0', '/1', '/2']) {
      await until(() => server.waiting.has(path));
      server.answer(path);
    }
    expect((await Promise.all([first, second, third])).map(gist)).toEqual(['200', '200', '200']);
  });

  test('bytes are bounded with those in flight; what can never fit is too large', async () => {
    const server = await holdingServer();
    const target = replayTarget(server.url, { queueBytesMax: 1000 });
    const half = `?${'x'.repeat(500)}`;
    expect(gist(await send(target, request(`/${half}${half}`)))).toBe('dropped too_large');
    const first = send(target, request(`/0${half}`));
    await until(() => server.waiting.has(`/0${half}`));
    expect(gist(await send(target, request(`/1${half}`)))).toBe('dropped queue_full');
    server.answer(`/0${half}`);
    expect(gist(await first)).toBe('200');
    const again = send(target, request(`/1${half}`));
    await until(() => server.waiting.has(`/1${half}`));
    server.answer(`/1${half}`);
    expect(gist(await again)).toBe('200');
  });

  test('a source that waits for room loses nothing', async () => {
    const server = await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)));
    const target = replayTarget(server.url, { connectionsMax: 2, queueRequestsMax: 10 });
    const results: string[] = [];
    for (let index = 0; index < 500; index++) {
      if (!target.room) await target.waitForRoom();
      target.send(request('/', { lane: {} }), (result) => results.push(gist(result)));
    }
    await until(() => results.length === 500);
    expect(new Set(results)).toEqual(new Set(['200']));
  });
});

describe('stopping', () => {
  test('close lets what was accepted end, and takes no more', async () => {
    const server = await holdingServer();
    const target = replayTarget(server.url, { connectionsMax: 1 });
    const first = send(target, request('/1'));
    const second = send(target, request('/2'));
    await until(() => server.waiting.has('/1'));
    const closed = target.close(20_000);
    expect(gist(await send(target, request('/3')))).toBe('dropped shutdown');
    server.answer('/1');
    await until(() => server.waiting.has('/2'));
    server.answer('/2');
    expect([gist(await first), gist(await second)]).toEqual(['200', '200']);
    await closed;
    expect(target.openConnections).toBe(0);
  });

  test('what does not end in time, or at an abort, is dropped, once', async () => {
    const server = await holdingServer();
    for (const stop of ['close', 'abort'] as const) {
      const target = replayTarget(server.url, { connectionsMax: 1 });
      const results: string[] = [];
      const lane = {};
      for (const outgoing of [request(`/${stop}`, { lane }), request('/behind', { lane }), request('/other')]) {
        target.send(outgoing, (result) => results.push(gist(result)));
      }
      await until(() => server.waiting.has(`/${stop}`));
      if (stop === 'close') await target.close(20);
      else target.abort();
      expect(results).toEqual(Array.from({ length: 3 }, () => 'dropped shutdown'));
      await target.close(0);
      expect(target).toMatchObject({ openConnections: 0, inFlight: 0, queuedRequests: 0 });
      expect(results).toHaveLength(3);
    }
  });
});
