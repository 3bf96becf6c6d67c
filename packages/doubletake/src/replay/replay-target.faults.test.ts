/** Targets that misbehave: each request still gets its one outcome, and the next work as soon as the target does. */
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  gist,
  onRequestHeads,
  rawServer,
  replayTarget,
  request,
  send,
  until,
} from '../../test/support/replay-servers.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

/** A server whose first connection does `misbehave` at the first request; all others are answered well. */
function onceBad(misbehave: (write: (text: string) => void, socket: Socket) => void) {
  return rawServer((socket, index) =>
    onRequestHeads(socket, () => {
      if (index === 0) misbehave((text) => socket.write(text, 'latin1'), socket);
      else socket.write(OK);
    }),
  );
}

describe('an answer that is none', () => {
  test.each([
    ['garbage', 'failed protocol', (write) => write('\x16\x03\x01 not http at all')],
    ['ambiguous framing', 'failed protocol', (write) => write(`${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`)],
    ['a chunk that lies', 'failed protocol', (write) => write(`${CHUNKED}1\r\nxx`)],
    ['a close instead of an answer', 'failed reset', (_write, socket) => socket.end()],
    ['a close inside the head', 'failed reset', (_write, socket) => socket.end('HTTP/1.1 200 OK\r\nConte')],
    ['a close inside the body', 'failed reset', (_write, socket) => socket.end(`${HEAD}Content-Length: 9\r\n\r\nhalf`)],
    ['a close inside a chunk', 'failed reset', (_write, socket) => socket.end(`${CHUNKED}9\r\nhalf`)],
    ['a reset', 'failed reset', (_write, socket) => socket.resetAndDestroy()],
    ['silence', 'failed timeout', () => {}],
    ['a stall inside the body', 'failed timeout', (write) => write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
  ] as [string, string, Parameters<typeof onceBad>[0]][])('%s', async (_name, expected, misbehave) => {
    const server = await onceBad(misbehave);
    const target = replayTarget(server.url, expected === 'failed timeout' ? { responseTimeoutMs: 500 } : {});
    expect(gist(await send(target, request('/')))).toBe(expected);
    expect(gist(await send(target, request('/')))).toBe('200');
    expect(server.sockets).toHaveLength(2);
  });

  test('one byte at a time is cut by the response timeout, however steadily it comes', async () => {
    const server = await onceBad((write, socket) => {
      write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n');
      const drip = setInterval(() => write('x'), 5);
      socket.on('close', () => clearInterval(drip));
    });
    const target = replayTarget(server.url, { responseTimeoutMs: 500 });
    expect(gist(await send(target, request('/')))).toBe('failed timeout');
    expect(gist(await send(target, request('/')))).toBe('200');
  });

  test('one byte at a time within the timeout is an answer', async () => {
    const server = await onceBad((write) => {
      const answer = `HTTP/1.1 100 Continue\r\n\r\n${OK}`;
      let sent = 0;
      const drip = setInterval(() => {
        write(answer.charAt(sent));
        if (++sent === answer.length) clearInterval(drip);
      });
    });
    const result = await send(replayTarget(server.url), request('/'));
    expect(result).toMatchObject({ outcome: 'replayed', response: { status: 200, body: Buffer.from('ok') } });
  });
});

describe('connections that must not be used again', () => {
  test('bytes behind the response are no part of it, nor of the next', async () => {
    const server = await onceBad((write) => write(`${OK}HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n`));
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/')))).toBe('200');
    expect(gist(await send(target, request('/')))).toBe('200');
    expect(server.sockets).toHaveLength(2);
    expect(target.counters.unsolicited).toBe(1);
  });

  test('bytes on an idle connection close it', async () => {
    const server = await onceBad((write) => write(OK));
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/')))).toBe('200');
    server.sockets[0]?.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await until(() => target.openConnections === 0);
    expect(target.counters.unsolicited).toBe(1);
    expect(gist(await send(target, request('/')))).toBe('200');
  });

  test('an answer that comes before the request is written out counts; its connection is not used again', async () => {
    const server = await rawServer((socket, index) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
        if (index === 0) socket.pause();
      });
    });
    const target = replayTarget(server.url);
    const head = Buffer.from('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n');
    const bytes = [head, Buffer.alloc(30_000_000)];
    const large = { bytes, length: head.length + 30_000_000, method: 'PUT', lane: null, timeUs: 0, probability: 1 };
    expect(gist(await send(target, large))).toBe('413');
    expect(gist(await send(target, request('/')))).toBe('413');
    expect(server.sockets).toHaveLength(2);
  });

  test('a HEAD does not wait for the body; a body without length ends with the connection', async () => {
    const server = await rawServer((socket) =>
      onRequestHeads(socket, (head) => {
        if (head.startsWith('HEAD')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n');
        else socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      }),
    );
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/', { method: 'HEAD' })))).toBe('200');
    expect(await send(target, request('/'))).toMatchObject({ response: { body: Buffer.from('until the end') } });
    expect(server.sockets).toHaveLength(1);
  });
});

/** Answers the first request of a connection; cuts the first connection at its second. */
async function forgetfulServer(cut: 'close' | 'reset' | 'half an answer') {
  const seen: string[] = [];
  const server = await rawServer((socket, index) => {
    let requests = 0;
    onRequestHeads(socket, (head) => {
      seen.push(head.split(' ', 2).join(' '));
      if (index > 0 || ++requests === 1) socket.write(OK);
      else if (cut === 'close') socket.end();
      else if (cut === 'reset') socket.resetAndDestroy();
      else socket.end('HTTP/1.1 2');
    });
  });
  return { ...server, seen };
}

describe('a kept-alive connection that turns out to be dead', () => {
  test.each(['close', 'reset'] as const)('%s: an idempotent request is sent once more, in its place', async (cut) => {
    const server = await forgetfulServer(cut);
    const target = replayTarget(server.url, { connectionsMax: 1 });
    const lane = {};
    expect(gist(await send(target, request('/1', { lane })))).toBe('200');
    const results = await Promise.all(['/2', '/3', '/4'].map((path) => send(target, request(path, { lane }))));
    expect(results.map(gist)).toEqual(['200', '200', '200']);
    expect(server.seen).toEqual(['GET /1', 'GET /2', 'GET /2', 'GET /3', 'GET /4']);
    expect(target.counters.staleRetries).toBe(1);
  });

  test('a POST is not', async () => {
    const server = await forgetfulServer('reset');
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/1')))).toBe('200');
    expect(gist(await send(target, request('/2', { method: 'POST' })))).toBe('failed reset');
    expect(server.seen).toEqual(['GET /1', 'POST /2']);
  });

  test('nor is anything once a byte of the answer came', async () => {
    const server = await forgetfulServer('half an answer');
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/1')))).toBe('200');
    expect(gist(await send(target, request('/2')))).toBe('failed reset');
  });

  test('a retry whose new connection is refused fails with connect', async () => {
    const server = await rawServer((socket) => {
      let requests = 0;
      onRequestHeads(socket, () => {
        if (++requests === 1) socket.write(OK);
        else void server.stop();
      });
    });
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/1')))).toBe('200');
    expect(gist(await send(target, request('/2')))).toBe('failed connect');
  });
});

describe('a target that is away', () => {
  test('a source that can wait tries it with one request at a time, and has room again when it is back', async () => {
    const server = await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)));
    const target = replayTarget(server.url);
    await server.stop();
    expect(target.room).toBe(true);
    for (let tries = 0; tries < 3; tries++) {
      const result = send(target, request(`/${tries}`));
      if (tries > 0) expect(target.room).toBe(false);
      expect(gist(await result)).toBe('failed connect');
      expect(target.room).toBe(false);
      await until(() => target.room);
    }
    await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)), { port: server.port });
    expect(gist(await send(target, request('/back')))).toBe('200');
    expect(target.room).toBe(true);
    await target.waitForRoom();
  });

  test('refuses: everything that waits fails with the reason, and the next request tries anew', async () => {
    const first = await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)));
    const target = replayTarget(first.url, { connectionsMax: 2 });
    expect(gist(await send(target, request('/')))).toBe('200');
    await first.stop();
    await until(() => target.openConnections === 0);
    const lane = {};
    const lanes = Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? lane : {}));
    const results = await Promise.all(lanes.map((each) => send(target, request('/', { lane: each }))));
    expect(new Set(results.map(gist))).toEqual(new Set(['failed connect']));
    expect(results[0]).toMatchObject({ detail: `connection refused (127.0.0.1:${first.port})` });
    expect(target).toMatchObject({ queuedRequests: 0, queuedBytes: 0, inFlight: 0 });
    expect(target.counters.connectFailures).toBeLessThan(10);
    const second = await rawServer((socket) => onRequestHeads(socket, () => socket.write(OK)), { port: first.port });
    expect(gist(await send(target, request('/', { lane })))).toBe('200');
    expect(second.sockets).toHaveLength(1);
  });

  test('check tells in one line why it cannot be reached', async () => {
    const server = await rawServer(() => {});
    await replayTarget(server.url).check();
    await server.stop();
    await expect(replayTarget(server.url).check()).rejects.toThrow(
      `cannot reach the target http://127.0.0.1:${server.port}: connection refused (127.0.0.1:${server.port})`,
    );
  });

  test('fails in every way under load: every request has one outcome, and it works again in the end', async () => {
    let requests = 0;
    const server = await rawServer((socket) =>
      onRequestHeads(socket, () => {
        const turn = requests++ % 7;
        if (requests > 600 || turn < 3) socket.write(OK);
        else if (turn === 3) socket.resetAndDestroy();
        else if (turn === 4) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx');
        else if (turn === 5) socket.write('what?');
        else socket.write(`${OK}${OK}`);
      }),
    );
    const target = replayTarget(server.url, { connectionsMax: 3 });
    const lanes = [{}, {}, {}, {}, {}];
    const settled = new Map<string, number>();
    let count = 0;
    for (let index = 0; index < 900; index++) {
      const outgoing = request('/', { lane: lanes[index % 5] ?? null, method: index % 2 === 0 ? 'GET' : 'POST' });
      target.send(outgoing, (result) => {
        count++;
        settled.set(gist(result), (settled.get(gist(result)) ?? 0) + 1);
      });
    }
    await until(() => target.queuedRequests + target.inFlight === 0);
    expect(count).toBe(900);
    expect([...settled.keys()].toSorted()).toEqual(['200', 'failed protocol', 'failed reset']);
    expect(gist(await send(target, request('/')))).toBe('200');
  });
});
