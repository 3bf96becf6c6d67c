import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { gist, onRequestHeads, rawServer, replayTarget, request, send } from '../../test/support/replay-servers.ts';
import { Addresses } from './addresses.ts';

const CLOSE = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

function answer(socket: Socket): void {
  onRequestHeads(socket, () => socket.end(CLOSE));
}

describe('the addresses of a name', () => {
  test('each has its turn to be first', async () => {
    const addresses = new Addresses('name.test', 1000, () => Promise.resolve(['10.0.0.1', '10.0.0.2', '10.0.0.3']));
    const firsts = [];
    for (let turn = 0; turn < 6; turn++) firsts.push((await addresses.candidates(0))[0]);
    expect(firsts).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  test('one that failed is tried last, until it worked or some time passed', async () => {
    const addresses = new Addresses('name.test', 1e9, () => Promise.resolve(['10.0.0.1', '10.0.0.2']));
    await addresses.candidates(0);
    addresses.failed('10.0.0.1', 0);
    for (let turn = 0; turn < 4; turn++) expect(await addresses.candidates(1)).toEqual(['10.0.0.2', '10.0.0.1']);
    addresses.succeeded('10.0.0.1');
    const firsts = [(await addresses.candidates(1))[0], (await addresses.candidates(1))[0]];
    expect(firsts.toSorted()).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  test('are looked up again with age and after a failure, not more than once a second', async () => {
    let lookups = 0;
    const addresses = new Addresses('name.test', 60_000, () => Promise.resolve([`10.0.0.${++lookups}`]));
    expect(await addresses.candidates(0)).toEqual(['10.0.0.1']);
    expect(await addresses.candidates(59_000)).toEqual(['10.0.0.1']);
    expect(await addresses.candidates(61_000)).toEqual(['10.0.0.2']);
    addresses.outdate();
    expect(await addresses.candidates(61_500)).toEqual(['10.0.0.2']);
    expect(await addresses.candidates(62_500)).toEqual(['10.0.0.3']);
  });

  test('stay in use while the resolver fails', async () => {
    let works = true;
    const addresses = new Addresses('name.test', 10, () =>
      works ? Promise.resolve(['10.0.0.1']) : Promise.reject(new Error('no')),
    );
    await addresses.candidates(0);
    works = false;
    expect(await addresses.candidates(100)).toEqual(['10.0.0.1']);
    expect(addresses.lookupFailures).toBe(1);
  });
});

describe('a target with several addresses', () => {
  test('all of them are used', async () => {
    const one = await rawServer(answer);
    const two = await rawServer(answer, { port: one.port, host: '127.0.0.2' });
    const target = replayTarget(new URL(`http://name.test:${one.port}`), {
      resolve: () => Promise.resolve(['127.0.0.1', '127.0.0.2']),
    });
    for (let turn = 0; turn < 6; turn++) expect(gist(await send(target, request('/')))).toBe('200');
    expect([one.sockets.length, two.sockets.length]).toEqual([3, 3]);
  });

  test('a dead one costs no request', async () => {
    const server = await rawServer(answer);
    const target = replayTarget(new URL(`http://name.test:${server.port}`), {
      resolve: () => Promise.resolve(['127.0.0.9', '127.0.0.1', '127.0.0.8']),
    });
    for (let turn = 0; turn < 6; turn++) expect(gist(await send(target, request('/')))).toBe('200');
    expect(target.counters.connectFailures).toBe(0);
  });

  test('a name that cannot be resolved fails requests with connect, until it can', async () => {
    const server = await rawServer(answer);
    let works = false;
    const target = replayTarget(new URL(`http://name.test:${server.port}`), {
      resolve: () => (works ? Promise.resolve(['127.0.0.1']) : Promise.resolve([])),
    });
    const result = await send(target, request('/'));
    const detail = 'no address for name.test (name.test)';
    expect(result).toEqual({ outcome: 'failed', reason: 'connect', detail });
    works = true;
    expect(gist(await send(target, request('/')))).toBe('200');
  });

  test('a resolver that never answers is cut by the connect timeout', async () => {
    const target = replayTarget(new URL('http://name.test'), {
      resolve: () => new Promise(() => {}),
      connectTimeoutMs: 50,
    });
    expect(gist(await send(target, request('/')))).toBe('failed connect');
  });
});
