import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { buildConfig } from '../config/load.ts';
import { ProductionServers } from '../policy/production-servers.ts';
import { type AgainOptions, ReplayAgain } from './replay-again.ts';

const servers = new Set<Server>();
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
  servers.clear();
});

interface Answering {
  port: number;
  received: () => string;
  /** Resolves when something was received. */
  asked: Promise<void>;
}

/** Answers every connection with the same bytes; with null, never. */
async function answering(answer: string | null): Promise<Answering> {
  let received = '';
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      resolve();
      if (answer !== null) socket.write(answer);
    });
  });
  servers.add(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, received: () => received, asked };
}

function optionsFor(port: number, more: Partial<AgainOptions> = {}): AgainOptions {
  const { targets, policy } = buildConfig(null, [
    { flag: '', path: ['sources'], value: [{ vxlan: { listen: '127.0.0.1:0' } }] },
    { flag: '', path: ['targets'], value: [{ name: 't', url: `http://127.0.0.1:${port}` }] },
    { flag: '', path: ['policy'], value: { sanitize: { key: 'a key of the tests, long enough' } } },
  ]);
  const [target] = targets;
  if (target === undefined) throw new Error('no target');
  return { target, policy, authority: null, production: new ProductionServers([]), keepBodyBytesMax: 1_000, ...more };
}

const stored = (text: string): { id: string; method: string; bytes: Uint8Array } => ({ id: 'run-0-1', method: text.split(' ', 1)[0], bytes: Buffer.from(text, 'latin1') });
const get = stored('GET /users/u1234567890@example.test HTTP/1.1\r\nHost: a\r\nX-Doubletake-Id: run-0-1\r\nX-Doubletake-Mirrored-From: 10.0.0.1:80\r\n\r\n');

describe('a request sent again by hand', () => {
  test('goes out as it is stored, under an id of its own, and its answer is made safe', async () => {
    const body = '{"mail":"anna@canary.example","echo":"u1234567890@example.test"}';
    const server = await answering(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const again = new ReplayAgain();
    const answer = await again.send(get, optionsFor(server.port));
    await again.send(get, optionsFor(server.port));
    expect(server.received()).toBe([1, 2].map((number) => Buffer.from(get.bytes).toString('latin1').replace('Id: run-0-1', `Id: run-0-1.hand${number}`)).join(''));
    expect(answer).toMatchObject({ status: 200, failure: null });
    expect(answer.body?.toString()).toMatch(/^\{"mail":"[^"]+@example\.test","echo":"u1234567890@example\.test"\}$/);
  });

  test.each([
    ['a body that is cut', 'POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\n1234'],
    ['bytes behind the body', 'POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\n12GET /y HTTP/1.1\r\n\r\n'],
    ['bytes behind no body', 'GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\n\r\n'],
    ['chunks that are cut', 'POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n'],
    ['bytes behind the chunks', 'POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /y HTTP/1.1\r\n\r\n'],
    ['half a head', 'GET /x HTTP/1.1\r\nHost'],
    ['nothing', ''],
  ])('%s: is not sent', async (_, text) => {
    const server = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await expect(new ReplayAgain().send(stored(text), optionsFor(server.port))).rejects.toMatchObject({ code: 'DT_REPLAY_AGAIN' });
    expect(server.received()).toBe('');
  });

  test('chunks that are whole are sent', async () => {
    const server = await answering('HTTP/1.1 204 No Content\r\n\r\n');
    const answer = await new ReplayAgain().send(stored('POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\nT: 1\r\n\r\n'), optionsFor(server.port));
    expect(answer.status).toBe(204);
  });

  test('carries the target\'s own credential, which is not kept', async () => {
    const server = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    const options = optionsFor(server.port);
    const target = { ...options.target, credentials: { when: 'always' as const, bearer: 's3cret' } };
    await new ReplayAgain().send(stored('GET /x HTTP/1.1\r\nAuthorization: *************\r\n\r\n'), { ...options, target });
    expect(server.received()).toContain('\r\nAuthorization: Bearer s3cret\r\n');
  });

  test('nothing goes to production', async () => {
    const server = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    const production = new ProductionServers([]);
    production.learn(`127.0.0.1:${server.port}`);
    await expect(new ReplayAgain().send(get, optionsFor(server.port, { production }))).rejects.toMatchObject({ code: 'DT_REPLAY_AGAIN', message: expect.stringContaining('blocked.production') });
    expect(server.received()).toBe('');
  });

  test('the kill switch ends what is under way; more than a few are refused', async () => {
    const server = await answering(null);
    const again = new ReplayAgain();
    const sent = Promise.allSettled(Array.from({ length: 5 }, () => again.send(get, optionsFor(server.port))));
    await server.asked;
    again.halt();
    const codes = (await sent).map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : each.value.status));
    expect(codes).toEqual([...Array.from({ length: 4 }, () => 'DT_REPLAY_AGAIN'), 'DT_BUSY']);
  });

  test('a target that does not answer is what came of it', async () => {
    const server = await answering('nonsense\r\n\r\n');
    expect(await new ReplayAgain().send(get, optionsFor(server.port))).toMatchObject({ status: 0, failure: 'protocol' });
  });
});
