import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { PageFiles } from '../src/server/page-files.ts';
import { Authority } from './support/certificates.ts';
import { type Answer, ask as askAt, type AskOptions, startTested, type TestedDashboard } from './support/dashboard-server.ts';
import { eventually } from './support/mirror.ts';
import { rawClient } from './support/raw-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-dashboard-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const operatorToken = 'operator-token-of-the-test';
const readerToken = 'reader-token-of-the-test';

/** One that asks for tokens, on the loopback interface all the same. */
const guarded = (more: object = {}): Promise<TestedDashboard> => startTested({ operatorToken, readerToken, ...more });
const bearer = (token: string): AskOptions => ({ headers: { authorization: `Bearer ${token}` } });
const post = (json: unknown, headers: Record<string, string> = {}): AskOptions => ({ method: 'POST', json, headers });
const stop = { replay: 'stopped' };

/** The cookie that a login sets, as a browser sends it back. */
function cookieOf({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

describe('tokens', () => {
  test('without one, nothing is told but that one is needed', async () => {
    const { ask } = await guarded();
    for (const path of ['/api/overview', '/api/events', '/api/openapi.json', '/api/requests', '/metrics', '/api/clusters/c1/har']) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      expect(await ask(path)).toMatchObject({ status: 401, json: { code: 'DT_UNAUTHORIZED' } });
    }
    expect((await ask('/api/session')).json).toEqual({ role: null, open: false, version: '', mode: 'live' });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
  });

  test('health tells the reason to nobody who has none', async () => {
    const { ask, backend } = await guarded();
    backend.state.problem = 'worker 0 died: at 10.0.0.7';
    expect((await ask('/healthz')).json).toEqual({ status: 'failing' });
    expect((await ask('/healthz', bearer(readerToken))).json).toEqual({ status: 'failing', reason: 'worker 0 died: at 10.0.0.7' });
  });

  test('a reader sees everything and changes nothing; an operator may', async () => {
    const { ask, backend } = await guarded();
    expect((await ask('/api/session', bearer(readerToken))).json).toMatchObject({ role: 'reader' });
    expect(await ask('/api/control', bearer(readerToken))).toMatchObject({ status: 200 });
    expect(await ask('/api/rules/preview', post({ name: 'a', path: '$.a' }, bearer(readerToken).headers))).toMatchObject({ status: 200 });
    const changes: [string, AskOptions][] = [
      ['/api/control/replay', { method: 'POST', json: stop }],
      ['/api/control/targets/candidate', { method: 'POST', json: { percentage: 5 } }],
      ['/api/rules', { method: 'POST', json: { name: 'a', path: '$.a', ignore: true } }],
      ['/api/rules/a', { method: 'DELETE' }],
      ['/api/clusters/c1/accepted', { method: 'PUT', json: {} }],
      ['/api/clusters/c1/accepted', { method: 'DELETE' }],
      ['/api/requests/dt-7f3a-000012/replay', { method: 'POST', json: { target: 'candidate' } }],
    ];
    for (const [path, options] of changes) {
      // oxlint-disable-next-line no-await-in-loop -- one change after the other
      expect(await ask(path, { ...options, ...bearer(readerToken) })).toMatchObject({ status: 403, json: { code: 'DT_FORBIDDEN' } });
    }
    expect(backend.done).toEqual([]);
    // oxlint-disable-next-line no-await-in-loop -- one change after the other
    for (const [path, options] of changes) expect((await ask(path, { ...options, ...bearer(operatorToken) })).status).toBeLessThan(300);
    expect(backend.done).toHaveLength(changes.length);
  });

  test('a login begins a session in a cookie that scripts and other sites do not get, and a logout ends it', async () => {
    const { ask, port } = await guarded();
    const answer = await ask('/api/session', post({ token: readerToken }));
    expect(answer).toMatchObject({ status: 200, json: { role: 'reader' } });
    expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(new RegExp(`^doubletake_${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200$`)) as string]);
    const cookie = `other=1; ${cookieOf(answer)}; doubletake_1=2`;
    expect(await ask('/api/overview', { headers: { cookie } })).toMatchObject({ status: 200 });
    const left = await ask('/api/session', { method: 'DELETE', headers: { cookie } });
    expect(left).toMatchObject({ status: 200, json: { role: null }, headers: { 'set-cookie': [expect.stringMatching(/Max-Age=0$/) as string] } });
    expect(await ask('/api/overview', { headers: { cookie } })).toMatchObject({ status: 401 });
  });

  test('a stream ends with its session', async () => {
    const { ask, at } = await guarded();
    const cookie = cookieOf(await ask('/api/session', post({ token: readerToken })));
    const page = await rawClient(at);
    page.send(`GET /api/events HTTP/1.1\r\nHost: ${at}\r\nCookie: ${cookie}\r\n\r\n`);
    await page.until('an event', (text) => text.includes('event: point'));
    await ask('/api/session', { method: 'DELETE', headers: { cookie } });
    await page.closed();
  });

  test('wrong ones are refused, after ten of them all from there, and none is in the log', async () => {
    const { ask, log } = await guarded();
    const cookie = cookieOf(await ask('/api/session', post({ token: operatorToken })));
    const answers: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      answers.push((await ask('/api/session', post({ token: `guess-${attempt}` }))).status, (await ask('/api/overview', bearer(`guess-${attempt}`))).status);
    }
    expect(answers).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const right = await ask('/api/overview', bearer(operatorToken));
    expect(right).toMatchObject({ status: 429, json: { code: 'DT_TOO_MANY_FAILURES' } });
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(50);
    // Who is logged in stays so.
    expect(await ask('/api/overview', { headers: { cookie } })).toMatchObject({ status: 200 });
    expect(log.filter((line) => line.includes('refused 127.0.0.1')).length).toBe(10);
    expect(log.join('\n')).not.toMatch(/guess|-token-of|doubletake_/);
  });

  test('on an address for others one is made, told once, and holds', async () => {
    const { token, at, log } = await startTested({ listen: '0.0.0.0:0' });
    expect(token).toMatch(/^[\w-]{32}$/);
    expect((await askAt(at, '/api/session')).json).toMatchObject({ role: null });
    expect((await askAt(at, '/api/session', bearer(token ?? ''))).json).toMatchObject({ role: 'operator' });
    expect(log).toContainEqual(expect.stringMatching(/^the dashboard is served without TLS/));
    expect(log.join()).not.toContain(token);
  });

  test('they can be read from files; a file without one is refused', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'a-token-in-a-file\n');
    const { ask, token } = await startTested({ operatorTokenFile: file });
    expect(token).toBeNull();
    expect((await ask('/api/session', bearer('a-token-in-a-file'))).json).toMatchObject({ role: 'operator' });
    writeFileSync(file, 'short\n');
    await expect(startTested({ readerTokenFile: file })).rejects.toMatchObject({ code: 'DT_DASHBOARD_TOKEN' });
    await expect(startTested({ readerTokenFile: join(folder, 'none') })).rejects.toMatchObject({ code: 'DT_DASHBOARD_TOKEN' });
  });
});

describe('pages of other sites', () => {
  test.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['an origin that is none', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['what a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['what a browser calls same-site', { 'sec-fetch-site': 'same-site' }],
  ])('%s may call nothing, also where no token is asked for', async (_, headers) => {
    const { ask, backend } = await startTested();
    expect(await ask('/api/control/replay', post(stop, headers))).toMatchObject({ status: 403, json: { code: 'DT_CROSS_ORIGIN' } });
    expect(await ask('/api/events', { headers })).toMatchObject({ status: 403 });
    expect(backend.done).toEqual([]);
  });

  test('a form of theirs is no JSON', async () => {
    const { at, backend } = await startTested();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp']) {
      const body = JSON.stringify(stop);
      const form = await rawClient(at);
      form.send(`POST /api/control/replay HTTP/1.1\r\nHost: ${at}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await form.until('the refusal', (text) => text.startsWith('HTTP/1.1 415 '));
    }
    expect(backend.done).toEqual([]);
  });

  test('their names for this machine are refused (DNS rebinding), also for the page itself', async () => {
    const { ask, at, log } = await startTested({ hosts: ['mirror.example.net'] });
    for (const host of ['evil.example', 'evil.example:9090', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.7', '[::2]', 'a@127.0.0.1']) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      for (const path of ['/', '/api/session']) expect([host, (await ask(path, { headers: { host } })).status]).toEqual([host, 421]);
    }
    expect(log.join()).not.toContain('evil');
    for (const host of [at, 'localhost', 'LOCALHOST:1', '127.0.0.9', '[::1]:9090', 'Mirror.example.net.', 'dashboard.localhost']) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect((await ask('/api/session', { headers: { host } })).status).toBe(200);
    }
    for (const [headers, status] of [['', 400], ['Host:\r\n', 421], [`Host: evil.example\r\nHost: ${at}\r\n`, 421]] as const) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      const other = await rawClient(at);
      other.send(`GET /api/session HTTP/1.1\r\n${headers}\r\n`);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await other.until('the refusal', (text) => text.startsWith(`HTTP/1.1 ${status} `));
    }
  });

  test('who listens for others is called by any address, and by no name that is not listed', async () => {
    const { at } = await startTested({ listen: '0.0.0.0:0' });
    expect((await askAt(at, '/api/session', { headers: { host: '192.0.2.7:80' } })).status).toBe(200);
    expect((await askAt(at, '/api/session', { headers: { host: 'evil.example' } })).status).toBe(421);
  });

  test('the page\'s own requests are let in, and browsers are told to run nothing else', async () => {
    const { ask, at } = await startTested();
    expect(await ask('/api/control/replay', post(stop, { origin: `http://${at}`, 'sec-fetch-site': 'same-origin' }))).toMatchObject({ status: 200 });
    for (const path of ['/api/overview', '/nothing', '/', '/%zz']) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      const { headers } = await ask(path);
      expect(headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': 'same-origin' });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('clients that take too much', () => {
  const limits = { headMs: 100, requestMs: 200, idleMs: 2_000, checkEveryMs: 20 };

  test('a head that does not end, and a body that does not, are cut off', async () => {
    const { at } = await startTested({}, { limits });
    const head = await rawClient(at);
    head.send(`GET /api/overview HTTP/1.1\r\nHost: ${at}\r\nX-Slow: `);
    const body = await rawClient(at);
    body.send(`POST /api/control/replay HTTP/1.1\r\nHost: ${at}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
    expect([await head.closed(), await body.closed()]).toEqual([
      expect.stringMatching(/^HTTP\/1\.1 408 /) as string,
      expect.stringMatching(/^HTTP\/1\.1 408 /) as string,
    ]);
  });

  test('a connection on which nothing comes is closed', async () => {
    const { at } = await startTested({}, { limits: { ...limits, idleMs: 50, headMs: 5_000, requestMs: 5_000 } });
    const silent = await rawClient(at);
    await silent.closed();
  });

  test('too many headers are refused, and nonsense', async () => {
    const { at } = await startTested();
    const flood = await rawClient(at);
    flood.send(`GET / HTTP/1.1\r\nHost: ${at}\r\n${'X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1_000)}\r\n`);
    expect(await flood.closed()).toMatch(/^HTTP\/1\.1 431 /);
    const nonsense = await rawClient(at);
    nonsense.send('\x16\x03\x01 hello\r\n\r\n');
    expect(await nonsense.closed()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  test('a body that is longer than it may be is refused before it has come', async () => {
    const { at } = await startTested();
    for (const framing of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
      const large = await rawClient(at);
      large.send(`POST /api/session HTTP/1.1\r\nHost: ${at}\r\nContent-Type: application/json\r\n${framing}\r\n\r\n${framing.includes('chunked') ? `1ffff\r\n${'1'.repeat(0x1ffff)}` : '{'}`);
      await large.until('the refusal', (text) => text.startsWith('HTTP/1.1 413 '));
    }
  });

  test('more connections than there may be are not taken', async () => {
    const { at, ask } = await startTested({}, { limits: { connectionsMax: 2 } });
    const first = await rawClient(at);
    const second = await rawClient(at);
    await expect(ask('/api/session')).rejects.toThrow(/socket hang up|ECONNRESET/);
    first.socket.destroy();
    second.socket.destroy();
    await eventually('room', async () => ask('/api/session').catch(() => null));
  });

  test('more streams than there may be are refused until one ends', async () => {
    const { at, ask } = await startTested();
    const open = async (): Promise<Awaited<ReturnType<typeof rawClient>>> => {
      const page = await rawClient(at);
      page.send(`GET /api/events HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
      await page.until('an answer', (text) => text.includes('\r\n\r\n'));
      return page;
    };
    const pages = await Promise.all(Array.from({ length: 64 }, open));
    expect(pages.every((page) => page.received().startsWith('HTTP/1.1 200 '))).toBe(true);
    const refused = await ask('/api/events');
    expect(refused).toMatchObject({ status: 503, json: { code: 'DT_TOO_MANY_STREAMS' }, headers: { 'retry-after': '10' } });
    pages[0]?.socket.destroy();
    await eventually('room for one more', async () => ((await open()).received().startsWith('HTTP/1.1 200 ') ? true : null));
  });
});

describe('the page', () => {
  const page = join(folder, 'page');
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>doubletake</title>');
  writeFileSync(join(page, 'assets/index-1a2b.js'), 'console.log(1)');
  writeFileSync(join(page, 'assets/index-1a2b.js.gz'), 'gzipped');
  writeFileSync(join(page, 'assets/index-1a2b.js.br'), 'brotli');
  writeFileSync(join(page, 'secret.pem'), 'secret');
  writeFileSync(join(folder, 'outside.html'), 'secret');

  test('is served to everybody at its own addresses, without what it shows', async () => {
    const { ask } = await startTested({ operatorToken }, { page: new PageFiles(page) });
    for (const path of ['/', '/endpoints', '/differences/c1', '/requests/a%2Fb?q=1', '/traffic', '/control', '/login', '/index.html']) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      expect(await ask(path)).toMatchObject({ status: 200, text: expect.stringContaining('<title>') as string, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' } });
    }
    expect((await ask('/', { method: 'POST' })).status).toBe(404);
    const { headers } = await ask('/');
    expect(await ask('/', { headers: { 'if-none-match': headers.etag ?? '' } })).toMatchObject({ status: 304, text: '' });
  });

  test('its files are kept by browsers for ever, in the coding that they take', async () => {
    const { ask } = await startTested({}, { page: new PageFiles(page) });
    const file = (accepted: string): Promise<Answer> => ask('/assets/index-1a2b.js', { headers: { 'accept-encoding': accepted } });
    expect(await file('')).toMatchObject({ status: 200, text: 'console.log(1)', headers: { 'cache-control': 'public, max-age=31536000, immutable', 'content-type': 'text/javascript; charset=utf-8' } });
    expect(await file('gzip, deflate')).toMatchObject({ text: 'gzipped', headers: { 'content-encoding': 'gzip', vary: 'accept-encoding' } });
    expect(await file('gzip;q=0.8, br')).toMatchObject({ text: 'brotli', headers: { 'content-encoding': 'br' } });
  });

  test.each([
    '/../outside.html',
    '/assets/../../outside.html',
    '/%2e%2e/outside.html',
    '/assets/%2e%2e%2f%2e%2e%2foutside.html',
    '/assets/..%5c..%5coutside.html',
    '/%252e%252e/outside.html',
    '/assets/....//....//outside.html',
    '//etc/passwd',
    '/assets',
    '/assets/',
    '/secret.pem',
    '/index.html%00.js',
    '/assets/__proto__',
  ])('%s leads nowhere', async (path) => {
    const { ask } = await startTested({}, { page: new PageFiles(page) });
    const { status, text } = await ask(path);
    expect([status, text.includes('secret'), text.includes('root:')]).toEqual([404, false, false]);
  });

  test('where it was not built, that is said, and the API is there', async () => {
    const { ask, log } = await startTested();
    expect(await ask('/')).toMatchObject({ status: 503, text: expect.stringContaining('npm run build:page') as string });
    expect(log).toEqual([expect.stringContaining('npm run build:page')]);
    expect(await ask('/api/session')).toMatchObject({ status: 200 });
  });
});

describe('by https', () => {
  /** Asks with the authority's certificate; the name of the server's, and the cookies that were set. */
  function securely(address: string, authority: Authority, json: unknown): Promise<{ name: unknown; cookies: string[] | undefined }> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const sent = secureRequest(`${address}api/session`, { method: 'POST', ca: authority.pem, headers, agent: false }, (response) => {
        const { subject } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume().on('end', () => resolve({ name: subject.CN, cookies: response.headers['set-cookie'] }));
      });
      sent.on('error', reject).end(JSON.stringify(json));
    });
  }

  test('with certificate files, also renewed ones; cookies are for https alone', async () => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const { certificate, key } = authority.issue('dashboard', 'IP:127.0.0.1');
    const { address, port, log } = await startTested({ operatorToken, tls: { certificate, key } }, { limits: { certificateEveryMs: 10 } });
    expect(address).toBe(`https://127.0.0.1:${port}/`);
    const { name, cookies } = await securely(address, authority, { token: operatorToken });
    expect(name).toBe('dashboard');
    expect(cookies).toEqual([expect.stringMatching(/^__Host-doubletake_\d+=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/) as string]);

    writeFileSync(certificate, 'damaged');
    await eventually('the warning', async () => log.find((line) => /cannot use the certificate .*; the one from before stays/.test(line)) ?? null);
    expect((await securely(address, authority, { token: operatorToken })).name).toBe('dashboard');
    const renewed = authority.issue('renewed', 'IP:127.0.0.1');
    copyFileSync(renewed.key, key);
    copyFileSync(renewed.certificate, certificate);
    await eventually('the renewed one', async () => ((await securely(address, authority, { token: operatorToken })).name === 'renewed' ? true : null));
  });

  test('a certificate that cannot be used is refused at the start', async () => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const { key } = authority.issue('dashboard', 'IP:127.0.0.1');
    await expect(startTested({ tls: { certificate: key, key } })).rejects.toMatchObject({ code: 'DT_DASHBOARD_TLS' });
  });
});

test('an address that is taken is named', async () => {
  const { port } = await startTested();
  await expect(startTested({ listen: `127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'DT_DASHBOARD_PORT_IN_USE' });
  await expect(startTested({ listen: '192.0.2.1:0' })).rejects.toMatchObject({ code: 'DT_DASHBOARD_LISTEN' });
});
