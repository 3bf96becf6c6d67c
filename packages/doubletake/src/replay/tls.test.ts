import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { gist, listen, rawServer, replayTarget, request, send, until } from '../../test/support/replay-servers.ts';

const NEW_KEY = ['-newkey', 'rsa:2048', '-nodes'];

let directory = '';
let ca = '';

/** The program that makes the throwaway authority and certificates. */
const OPENSSL = 'openssl';

function openssl(...args: string[]): void {
  execFileSync(OPENSSL, args, { cwd: directory, stdio: 'pipe' });
}

function pem(name: string): string {
  return readFileSync(join(directory, name), 'utf8');
}

/** A key and a certificate signed by the test's own authority. */
function issue(name: string, subjectAltName: string): void {
  openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=server');
  writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${subjectAltName}\n`);
  const signing = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl(...signing, '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`);
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'doubletake-tls-'));
  openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority');
  issue('named', 'DNS:name.test');
  issue('numbered', 'IP:127.0.0.1');
  ca = pem('ca.pem');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function secureServer(name: string) {
  const asked: unknown[] = [];
  const identity = { key: pem(`${name}.key`), cert: pem(`${name}.pem`) };
  const server = createServer({ ...identity, ALPNProtocols: ['h2', 'http/1.1'] }, (incoming, response) => {
    const { socket } = incoming;
    asked.push({
      servername: 'servername' in socket ? socket.servername : undefined,
      alpn: 'alpnProtocol' in socket ? socket.alpnProtocol : undefined,
    });
    incoming.resume();
    response.end('x'.repeat(100_000));
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: await listen(server), asked };
}

function resolve(): Promise<string[]> {
  return Promise.resolve(['127.0.0.1']);
}

describe('https targets', () => {
  test('with the right authority and name, over one kept-alive connection', async () => {
    const server = await secureServer('named');
    const target = replayTarget(new URL(`https://name.test:${server.port}`), { ca, resolve });
    for (let turn = 0; turn < 3; turn++) {
      expect(await send(target, request('/'))).toMatchObject({ response: { status: 200, bodyBytes: 100_000 } });
    }
    expect(server.asked).toEqual(Array.from({ length: 3 }, () => ({ servername: 'name.test', alpn: 'http/1.1' })));
    expect(target.counters.connectionsOpened).toBe(1);
  });

  test('an address is verified as an address and sent as no name', async () => {
    const server = await secureServer('numbered');
    const target = replayTarget(new URL(`https://127.0.0.1:${server.port}`), { ca });
    expect(gist(await send(target, request('/')))).toBe('200');
    expect(server.asked).toEqual([{ servername: false, alpn: 'http/1.1' }]);
  });

  test('a large request goes out whole', async () => {
    const server = await secureServer('named');
    const target = replayTarget(new URL(`https://name.test:${server.port}`), { ca, resolve });
    const head = Buffer.from('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n');
    const bytes = [head, Buffer.alloc(2_000_000), Buffer.alloc(3_000_000)];
    const result = await send(target, { bytes, length: head.length + 5_000_000, method: 'PUT', lane: null, timeUs: 0, probability: 1 });
    expect(gist(result)).toBe('200');
  });

  test('what is left of a large request is thrown away when it is stopped', async () => {
    let end = '';
    const sockets: TLSSocket[] = [];
    const identity = { key: pem('numbered.key'), cert: pem('numbered.pem') };
    const server = createTlsServer(identity, (socket) => {
      socket.on('error', (error) => (end = 'code' in error ? String(error.code) : error.message));
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        socket.pause();
      });
      sockets.push(socket);
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const target = replayTarget(new URL(`https://127.0.0.1:${await listen(server)}`), { ca });
    expect(gist(await send(target, request('/')))).toBe('200');
    const bytes = [Buffer.from('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n'), Buffer.alloc(30_000_000)];
    const length = bytes.reduce((sum, piece) => sum + piece.length, 0);
    const result = send(target, { ...request('/', { method: 'PUT' }), bytes, length });
    await new Promise(setImmediate);
    target.halt({ outcome: 'blocked', guard: 'kill_switch' });
    expect(gist(await result)).toBe('blocked kill_switch');
    sockets[0]?.resume();
    await until(() => end !== '');
    expect(end).toBe('ECONNRESET');
  });

  test.each([
    ['an unknown authority', 'named', undefined, /certificate/],
    ['another name', 'numbered', 'ca', /altnames|name\.test/i],
  ])('%s is refused, with the reason', async (_name, certificate, authority, reason) => {
    const server = await secureServer(certificate);
    const options = authority === undefined ? { resolve } : { ca, resolve };
    const target = replayTarget(new URL(`https://name.test:${server.port}`), options);
    const result = await send(target, request('/'));
    expect(result).toMatchObject({ outcome: 'failed', reason: 'connect', detail: expect.stringMatching(reason) });
    expect(server.asked).toEqual([]);
  });

  test('a server that does not speak TLS, or says nothing, is a failure to connect', async () => {
    const plain = await rawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = await rawServer(() => {});
    for (const { port } of [plain, silent]) {
      const target = replayTarget(new URL(`https://127.0.0.1:${port}`), { ca, connectTimeoutMs: 200 });
      expect(gist(await send(target, request('/')))).toBe('failed connect');
    }
  });

  test('options that cannot work are refused at once', () => {
    const url = new URL('https://name.test');
    expect(() => replayTarget(url, { ca: 'no certificate' })).toThrow('holds no PEM certificate');
    expect(() => replayTarget(new URL('ftp://name.test'))).toThrow('ftp is not supported');
  });
});
