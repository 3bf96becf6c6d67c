/** What keeps requests from leaving: the kill switch, addresses that are refused, the bound of requests in flight. */
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
import type { ReplayTarget } from './replay-target.ts';
import type { OutgoingRequest, ReplayResult } from './target.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KILLED: ReplayResult = { outcome: 'blocked', guard: 'kill_switch' };

/** Sees the paths asked for; answers all but those that begin with `/hold`. */
async function seeingServer(options: { port?: number; host?: string } = {}) {
  const seen: string[] = [];
  const held: Socket[] = [];
  const server = await rawServer((socket) => {
    onRequestHeads(socket, (head) => {
      const path = head.split(' ')[1] ?? '';
      seen.push(path);
      if (path.startsWith('/hold')) held.push(socket);
      else socket.write(OK);
    });
  }, options);
  return { ...server, seen, held };
}

/** Sends, and notes what comes of it. */
function note(target: ReplayTarget, results: string[], outgoing: OutgoingRequest): void {
  target.send(outgoing, (result) => results.push(gist(result)));
}

describe('halt', () => {
  test('settles what is in flight, in lanes and held for its time before it returns, once; then refuses until resume', async () => {
    const server = await seeingServer();
    const target = replayTarget(server.url, { connectionsMax: 2, pace: { speed: 1 } });
    const results: string[] = [];
    const lane = {};
    for (const path of ['/hold1', '/hold2', '/behind']) note(target, results, request(path, { lane }));
    for (const path of ['/hold3', '/waiting']) note(target, results, request(path));
    note(target, results, request('/later', { timeUs: 60_000_000 }));
    await until(() => server.held.length === 2);
    expect(target).toMatchObject({ inFlight: 2, queuedRequests: 4, pacedRequests: 1 });
    target.halt(KILLED);
    expect(results).toEqual(Array.from({ length: 6 }, () => 'blocked kill_switch'));
    expect(target).toMatchObject({ inFlight: 0, queuedRequests: 0, queuedBytes: 0, pacedRequests: 0, room: true });
    await until(() => target.openConnections === 0);
    expect(gist(await send(target, request('/refused')))).toBe('blocked kill_switch');
    target.halt(KILLED);
    target.resume();
    expect(gist(await send(target, request('/again', { lane })))).toBe('200');
    expect(results).toHaveLength(6);
    expect(server.seen).toEqual(['/hold1', '/hold3', '/again']);
  });

  test('what was given to an idle connection in the same turn does not leave', async () => {
    const server = await seeingServer();
    const target = replayTarget(server.url);
    expect(gist(await send(target, request('/first')))).toBe('200');
    const results: string[] = [];
    note(target, results, request('/unwritten'));
    expect(target.inFlight).toBe(1);
    target.halt(KILLED);
    expect(results).toEqual(['blocked kill_switch']);
    target.resume();
    expect(gist(await send(target, request('/last')))).toBe('200');
    expect(server.seen).toEqual(['/first', '/last']);
  });

  test('what waits for a connection that is being made does not leave when it is made', async () => {
    const server = await seeingServer();
    const target = replayTarget(server.url);
    const results: string[] = [];
    const unsent: string[] = [];
    for (let round = 0; round < 20; round++) {
      note(target, results, request(`/${round}`));
      // At another moment of the attempt each time.
      for (let turn = 0; turn < round % 4; turn++) await new Promise(setImmediate);
      if (target.queuedRequests === 1) unsent.push(`/${round}`);
      target.halt(KILLED);
      target.resume();
    }
    expect(unsent.length).toBeGreaterThanOrEqual(5);
    expect(gist(await send(target, request('/last')))).toBe('200');
    expect(server.seen.filter((path) => unsent.includes(path))).toEqual([]);
    expect(results).toHaveLength(20);
    expect(target.counters.connectFailures).toBe(0);
  });

  test('nor when its name is looked up', async () => {
    const server = await seeingServer();
    const lookups: ((addresses: string[]) => void)[] = [];
    const resolve = (): Promise<string[]> => new Promise((found) => lookups.push(found));
    const target = replayTarget(new URL(`http://name.test:${server.port}`), { resolve });
    const results: string[] = [];
    note(target, results, request('/looked-up'));
    await until(() => lookups.length === 1);
    target.halt(KILLED);
    expect(results).toEqual(['blocked kill_switch']);
    lookups[0]?.(['127.0.0.1']);
    target.resume();
    expect(gist(await send(target, request('/last')))).toBe('200');
    expect(server.seen).toEqual(['/last']);
    expect(server.sockets).toHaveLength(1);
  });

  test('what the kernel still holds of a request is thrown away', async () => {
    let reset = '';
    const server = await rawServer((socket) => {
      socket.on('error', (error) => {
        reset = 'code' in error ? String(error.code) : error.message;
      });
      socket.pause();
    });
    const target = replayTarget(server.url);
    const head = Buffer.from('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n');
    const bytes = [head, Buffer.alloc(30_000_000)];
    const results: string[] = [];
    note(target, results, { ...request('/', { method: 'PUT' }), bytes, length: head.length + 30_000_000 });
    await until(() => target.inFlight === 1);
    await new Promise(setImmediate);
    target.halt(KILLED);
    let received = 0;
    server.sockets[0]?.on('data', (data) => (received += data.length)).resume();
    await until(() => reset !== '');
    expect(reset).toBe('ECONNRESET');
    expect(received).toBeLessThan(30_000_000);
    expect(results).toEqual(['blocked kill_switch']);
  });

  test('a close that waits goes on, and what comes then was refused for the shutdown', async () => {
    const server = await seeingServer();
    const target = replayTarget(server.url);
    const results: string[] = [];
    note(target, results, request('/hold'));
    await until(() => server.held.length === 1);
    const closed = target.close(60_000);
    target.halt(KILLED);
    await closed;
    target.resume();
    expect(gist(await send(target, request('/')))).toBe('dropped shutdown');
    expect(results).toEqual(['blocked kill_switch']);
  });

  test('thrown from within what a request settles with, and again and again under load: each request settles once', async () => {
    const server = await seeingServer();
    const target = replayTarget(server.url, { connectionsMax: 3, queueRequestsMax: 2_000 });
    const lanes = [{}, {}, null];
    const settled = new Map<number, string>();
    let count = 0;
    for (let index = 0; index < 1_500; index++) {
      target.send(request('/', { lane: lanes[index % 3] ?? null }), (result) => {
        expect(settled.has(index)).toBe(false);
        settled.set(index, gist(result));
        if (++count % 70 === 0) {
          target.halt(KILLED);
          target.resume();
        }
      });
      if (index % 25 === 0) await new Promise(setImmediate);
    }
    await until(() => count === 1_500);
    expect(new Set(settled.values())).toEqual(new Set(['200', 'blocked kill_switch']));
    expect(target).toMatchObject({ inFlight: 0, queuedRequests: 0, queuedBytes: 0 });
    expect(gist(await send(target, request('/')))).toBe('200');
  });
});

/** Two servers on one port of two addresses, and a target whose name stands for both. */
async function twoAddresses() {
  const first = await seeingServer();
  const second = await seeingServer({ port: first.port, host: '127.0.0.2' });
  const refusedAddresses = new Set<string>();
  const asked: string[] = [];
  const target = replayTarget(new URL(`http://name.test:${first.port}`), {
    resolve: () => Promise.resolve(['127.0.0.1', '127.0.0.2']),
    refused: (address, port) => {
      asked.push(`${address}:${port}`);
      return refusedAddresses.has(address);
    },
  });
  return { first, second, target, refusedAddresses, asked };
}

describe('addresses that are refused', () => {
  test('are passed over for others', async () => {
    const { first, second, target, refusedAddresses, asked } = await twoAddresses();
    refusedAddresses.add('127.0.0.1');
    await target.check();
    const lanes = Array.from({ length: 6 }, () => send(target, request('/hold', { lane: {} })));
    await until(() => second.held.length === 6);
    for (const socket of second.held) socket.write(OK);
    expect((await Promise.all(lanes)).map(gist)).toEqual(Array.from({ length: 6 }, () => '200'));
    expect(first.sockets).toHaveLength(0);
    expect(asked).toContain(`127.0.0.1:${first.port}`);
  });

  test('leave nothing to connect to when they are all: requests are blocked, and the check says why', async () => {
    const { first, second, target, refusedAddresses } = await twoAddresses();
    refusedAddresses.add('127.0.0.1').add('127.0.0.2');
    const lane = {};
    const results = await Promise.all([lane, lane, {}, null].map((each) => send(target, request('/', { lane: each }))));
    expect(results.map(gist)).toEqual(Array.from({ length: 4 }, () => 'blocked production'));
    // It is not away: nothing waits for it.
    expect(target.room).toBe(true);
    await expect(target.check()).rejects.toMatchObject({
      name: 'TargetRefusedError',
      code: 'DT_TARGET_PRODUCTION',
      message: expect.stringMatching(/^the target http:\/\/name\.test:\d+ is a production server \(127[\d.:]+, 127[\d.:]+\): nothing is sent there$/),
    });
    refusedAddresses.clear();
    expect(gist(await send(target, request('/', { lane })))).toBe('200');
    expect([...first.seen, ...second.seen]).toEqual(['/']);
  });

  test('are a failure to connect when the others cannot be reached', async () => {
    const { first, second, target, refusedAddresses } = await twoAddresses();
    refusedAddresses.add('127.0.0.1');
    await second.stop();
    expect(gist(await send(target, request('/')))).toBe('failed connect');
    expect(first.sockets).toHaveLength(0);
  });

  test('are known in every way in which they are written', async () => {
    const asked: string[] = [];
    const target = replayTarget(new URL('http://[::ffff:127.0.0.1]:8080'), {
      refused: (address, port) => asked.push(`${address} ${port}`) > 0,
    });
    expect(gist(await send(target, request('/')))).toBe('blocked production');
    expect(new Set(asked)).toEqual(new Set(['127.0.0.1 8080']));
  });

  test('that come to be refused lose their connections at a recheck, and no other does', async () => {
    const { first, second, target, refusedAddresses } = await twoAddresses();
    const results = new Map<string, string>();
    const lane = {};
    for (const path of ['/hold1', '/hold2', '/hold3', '/hold4']) {
      target.send(request(path, { lane: path === '/hold1' ? lane : {} }), (result) => results.set(path, gist(result)));
    }
    await until(() => first.held.length === 2 && second.held.length === 2);
    target.send(request('/behind', { lane }), (result) => results.set('/behind', gist(result)));
    refusedAddresses.add('127.0.0.1');
    target.recheck();
    expect([...results.keys()].toSorted()).toEqual(first.seen.toSorted());
    expect(new Set(results.values())).toEqual(new Set(['blocked production']));
    for (const socket of second.held) socket.write(OK);
    await until(() => results.size === 5);
    expect(results.get('/behind')).toBe('200');
    expect(first.seen).toHaveLength(2);
    expect(target.inFlight).toBe(0);
    // At rest, none of the connections is to the first server.
    await until(() => target.openConnections <= 3);
    refusedAddresses.add('127.0.0.2');
    target.recheck();
    await until(() => target.openConnections === 0);
    expect(gist(await send(target, request('/', { lane })))).toBe('blocked production');
  });

  test('that come to be refused while a connection is made get none', async () => {
    const silent = await rawServer(() => {});
    let refused = false;
    const target = replayTarget(new URL(`https://127.0.0.1:${silent.port}`), { refused: () => refused });
    const result = send(target, request('/'));
    await until(() => silent.sockets.length === 1);
    refused = true;
    target.recheck();
    expect(gist(await result)).toBe('blocked production');
  });

  test('a kill switch thrown by what a recheck settles finds the books in order', async () => {
    const { first, second, target, refusedAddresses } = await twoAddresses();
    const results: string[] = [];
    for (let index = 0; index < 4; index++) {
      target.send(request('/hold', { lane: {} }), (result) => {
        results.push(gist(result));
        if (results.length === 1) target.halt(KILLED);
      });
    }
    await until(() => first.held.length + second.held.length === 4);
    refusedAddresses.add('127.0.0.1');
    target.recheck();
    expect(results.toSorted()).toEqual(['blocked kill_switch', 'blocked kill_switch', 'blocked production', 'blocked production']);
    expect(target).toMatchObject({ inFlight: 0, queuedRequests: 0 });
  });
});

describe('the bound of requests in flight', () => {
  test('holds beside connections at rest', async () => {
    const server = await seeingServer();
    const target = replayTarget(server.url, { connectionsMax: 8, inFlightMax: 2 });
    for (let round = 0; round < 3; round++) {
      let settled = 0;
      for (let index = 0; index < 5; index++) target.send(request('/hold', { lane: {} }), () => settled++);
      for (let answered = 0; answered < 5; answered++) {
        const most = Math.min(2, 5 - answered);
        await until(() => settled === answered && server.held.length === most);
        expect([target.inFlight, target.queuedRequests]).toEqual([most, 5 - answered - most]);
        server.held.shift()?.write(OK);
      }
      await until(() => settled === 5);
    }
    expect(server.seen).toHaveLength(15);
  });

  test('keeps a place for a request that is sent once more', async () => {
    const server = await rawServer((socket, index) => {
      let requests = 0;
      onRequestHeads(socket, () => {
        if (index === 0 && ++requests === 2) socket.resetAndDestroy();
        else socket.write(OK);
      });
    });
    const target = replayTarget(server.url, { connectionsMax: 4, inFlightMax: 1 });
    expect(gist(await send(target, request('/')))).toBe('200');
    const results = await Promise.all(Array.from({ length: 20 }, () => send(target, request('/', { lane: {} }))));
    expect(results.map(gist)).toEqual(Array.from({ length: 20 }, () => '200'));
    expect(target.counters.staleRetries).toBe(1);
  });
});
