import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { buildConfig } from '../src/config/load.ts';
import { Engine } from '../src/engine/engine.ts';
import { imbalances } from '../src/ledger/report.ts';
import { eventually, recordingTarget, runCli, type RunningMirror, startMirror, stopAll } from './support/mirror.ts';
import { freePort, folderWith, missing, startNginx } from './support/proxies.ts';
import { listen, until } from './support/replay-servers.ts';

afterEach(stopAll);

async function production(answer: (request: IncomingMessage, body: string) => string | Promise<string> = () => 'ok'): Promise<Server & { url: string; port: number }> {
  const server = createServer((request, response) => {
    void text(request).then(async (body) => response.end(await answer(request, body)));
  });
  server.keepAliveTimeout = 60_000;
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(server, { port, url: `http://127.0.0.1:${port}` });
}

async function startProxy(upstream: string, target: string, ...flags: string[]): Promise<{ mirror: RunningMirror; url: string; port: number }> {
  const mirror = await startMirror(['--proxy', `127.0.0.1:0=${upstream}`, '--target', target, '--methods', 'all', ...flags]);
  const url = `http://${proxies(mirror)[0]}`;
  return { mirror, url, port: Number(new URL(url).port) };
}

/** Addresses in the ready line, in the order of the flags. */
function proxies(mirror: RunningMirror): string[] {
  return Array.from(mirror.stderr().matchAll(/ proxy=(\S+)/g), ([, address]) => address);
}

/** Runs a program to its end. */
function run(program: string, args: readonly string[], input?: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => void Promise.all([stdout, stderr]).then(([out, err]) => resolve({ code, stdout: out, stderr: err })));
  });
}

describe('a mirror with a proxy', () => {
  test('production answers, and the target gets the same requests in the order of each connection', async () => {
    const upstream = await production((request, body) => `${request.method} ${request.url} ${body}`);
    const target = await recordingTarget();
    const { mirror, port } = await startProxy(upstream.url, target.url, '--workers', '2');
    const talk = async (name: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      let answers = '';
      socket.setEncoding('utf8').on('data', (piece: string) => (answers += piece));
      socket.write(`GET /${name}/1?q=%20a HTTP/1.1\r\nhOsT: shop.example\r\n\r\nPOST /${name}/2 HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
      await until(() => answers.includes('HTTP/1.1 200'));
      socket.write('0\r\n\r\n');
      await until(() => answers.includes(`/${name}/2 abc`));
      socket.end('GET /last HTTP/1.0\r\n\r\n');
      await until(() => socket.closed);
      return answers;
    };
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(talk));
    expect(answers.map((all) => all.match(/(GET|POST) \/\S+( abc)?/g))).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => [`GET /${name}/1?q=%20a`, `POST /${name}/2 abc`, 'GET /last']),
    );
    const requests = await target.received(12);
    for (const name of ['a', 'b', 'c', 'd']) {
      const own = requests.filter(({ head }) => head.includes(` /${name}/`));
      expect(own.map(({ head }) => head.split(' ')[1])).toEqual([`/${name}/1?q=%20a`, `/${name}/2`]);
      expect(own[0].head).toContain('\r\nX-Forwarded-For: 127.0.0.1\r\n');
      expect(own[0].head).toContain(`\r\nX-Doubletake-Mirrored-From: 127.0.0.1:${upstream.port}`);
      expect(own[1].body.toString()).toBe('3\r\nabc\r\n0\r\n\r\n');
    }
    const { code, ledger } = await mirror.stop();
    expect(code).toBe(0);
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger).toMatchObject({
      captured: 12,
      outcomes: { replayed: 12 },
      connections: 4,
      gaps: { count: 0, bytes: 0 },
      production: { responses: { '2xx': 12 }, orphans: 0 },
      skippedBytes: 0,
    });
    expect(Object.values(ledger.sources)[0]?.proxy).toEqual({ connections: 4, refused: 0, unreachable: 0 });
  });

  test('a target that never answers takes nothing from production', async () => {
    const upstream = await production();
    const target = await recordingTarget(() => {});
    const { mirror, url } = await startProxy(upstream.url, target.url);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    onTestFinished(() => agent.destroy());
    const ask = (path: string): Promise<string> =>
      new Promise((resolve, reject) => get(`${url}${path}`, { agent }, (response) => void text(response).then(resolve, reject)).on('error', reject));
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => ask(`/${index}`)));
    expect(answers).toEqual(Array.from({ length: 200 }, () => 'ok'));
    mirror.child.kill('SIGTERM');
    const { ledger } = await mirror.stop('SIGINT');
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger.captured).toBe(200);
  });

  test('a target that is production, or the proxy itself, is refused at start', async () => {
    for (const target of ['http://10.9.8.7:8080', 'http://localhost:8089']) {
      const { code, stderr } = await runCli(['mirror', '--proxy', '8089=http://10.9.8.7:8080', '--target', target]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('this is production') as string });
    }
  });

  test.each([
    ['another name of production', (port: number) => [`127.0.0.1:0=http://127.0.0.1:${port}`, `http://localhost:${port}`]],
    ['another address of the proxy', (port: number) => [`${port}=http://10.9.8.7:80`, `http://127.0.0.9:${port}`]],
  ])('a target that is %s is refused by its address', async (_, flags) => {
    const upstream = await production();
    const [proxy = '', target = ''] = flags(upstream.port);
    const { code, stderr } = await runCli(['mirror', '--proxy', proxy, '--target', target]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('[DT_TARGET_PRODUCTION]') as string });
  });

  test('a port that is taken ends it with one line', async () => {
    const upstream = await production();
    const target = await recordingTarget();
    const { code, stderr } = await runCli(['mirror', '--proxy', `127.0.0.1:${upstream.port}=http://127.0.0.1:1`, '--target', target.url]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^doubletake: cannot listen on TCP .* in use .*DT_SOURCE_PORT_IN_USE\]\n$/) as string });
  });

  test.each([
    [['--proxy', '8080'], 'expected [HOST:]PORT=URL'],
    [['--proxy', '8080=http://a.example/path'], 'bytes pass a proxy unchanged'],
    [['--proxy', '8080=tcp://a.example'], 'expected an http:// or https:// URL of production'],
    [['--proxy', '8080=http://a.example', '--vni', '7'], 'unknown setting "vni"'],
  ])('%j is refused', async (flags, message) => {
    const { code, stderr } = await runCli(['mirror', ...flags, '--target', 'http://test.internal']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) as string });
  });

  test('config check tells what it means', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doubletake-proxy-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'mirror.yaml');
    writeFileSync(
      file,
      `sources:
  - proxy: { listen: 443, upstream: "https://10.0.1.2", tls: { certificate: a.pem, key: a.key }, sendProxyProtocol: true }
targets: [{ name: a, url: "http://test.internal" }]
`,
    );
    const { code, stdout } = await runCli(['config', 'check', file]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/ {2,}/g, ' ').split('\n').slice(3, 8)).toEqual([
      ' a proxy on TCP 0.0.0.0:443, to production at https://10.0.1.2 (line 2)',
      ' ends TLS, and offers clients http/1.1 (line 2)',
      ' tells production the client\'s address in a PROXY protocol header (line 2)',
      ' at most 10000 clients at once (default)',
      ' gives up a connection to production after 10000 ms (default)',
    ]);
  });

  test('--vni beside a proxy is for the packets of another source', async () => {
    const upstream = await production();
    const target = await recordingTarget();
    const { mirror } = await startProxy(upstream.url, target.url, '--vxlan', '127.0.0.1:0', '--vni', '7');
    expect(mirror.ready).toMatchObject({ proxy: expect.any(String) as string, vxlan: expect.any(String) as string });
  });
});

describe('a stop', () => {
  test('idle connections are closed at once, and a request under way gets its whole answer', async () => {
    const waiting: (() => void)[] = [];
    const upstream = createServer((request, response) => {
      if (request.url === '/quick') response.end('quick');
      else {
        response.write('begun, ');
        waiting.push(() => response.end('done'));
      }
    });
    upstream.keepAliveTimeout = 60_000;
    onTestFinished(() => void upstream.close());
    const target = await recordingTarget();
    const { mirror, port } = await startProxy(`http://127.0.0.1:${await listen(upstream)}`, target.url);
    const open = (path: string): { socket: Socket; got: () => string } => {
      const socket = connect(port, '127.0.0.1');
      let got = '';
      socket.setEncoding('utf8').on('data', (piece: string) => (got += piece));
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return { socket, got: () => got };
    };
    const idle = open('/quick');
    const busy = open('/slow');
    await until(() => idle.got().endsWith('0\r\n\r\n') || idle.got().endsWith('quick'));
    await until(() => busy.got().includes('begun') && waiting.length === 1);

    mirror.child.kill('SIGTERM');
    await until(() => idle.socket.closed);
    expect(busy.socket.closed).toBe(false);
    waiting[0]();
    await until(() => busy.got().endsWith('0\r\n\r\n'));
    await until(() => busy.socket.closed);
    await eventually('the end', () => mirror.child.exitCode);
    const { code, ledger } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 2, outcomes: { replayed: 2 }, production: { responses: { '2xx': 2 } } });
  });
});

describe('when a worker dies', () => {
  test('every client of the proxy is still answered, the engine says so and goes on', async () => {
    // Most of the load comes when the first worker is dead, however fast it is.
    const death = Promise.withResolvers<void>();
    let asked = 0;
    const upstream = await production(async () => {
      if (asked++ >= 400) await death.promise;
      return 'ok';
    });
    const target = await recordingTarget();
    const workers: Worker[] = [];
    const remember = (worker: Worker): unknown => workers.push(worker);
    process.on('worker', remember);
    onTestFinished(() => void process.off('worker', remember));
    const told: string[] = [];
    const config = buildConfig(null, [
      { flag: '', path: ['sources'], value: [{ proxy: { listen: '127.0.0.1:0', upstream: upstream.url } }] },
      { flag: '', path: ['targets'], value: [{ name: 'target', url: target.url }] },
      { flag: '', path: ['workers'], value: 2 },
    ]);
    const engine = new Engine(config, {
      warning: (warning) => told.push(`warning ${warning}`),
      notice: (notice) => told.push(`notice ${notice}`),
      ramped: (news) => told.push(`ramped ${news}`),
      exhausted: () => told.push('exhausted'),
      failed: () => told.push('failed'),
      degraded: (error) => told.push(`degraded: ${error.message}`),
    });
    const [address] = await engine.start();
    const url = address.replace('proxy=', 'http://');
    expect(engine.problem()).toBeNull();

    const requests = 1_500;
    const loadClient = fileURLToPath(new URL('./support/load-client.ts', import.meta.url));
    const load = run(process.execPath, [loadClient, url, String(requests), 'load']);
    const answered = (): number => Number(engine.report().production.responses['2xx']);
    await until(() => answered() > 200);
    const before = target.requests.length;
    await workers.find(({ threadName }) => threadName === 'doubletake-0')?.terminate();
    death.resolve();
    expect(engine.problem()).toMatch(/^worker 0 died/);
    // What is left of the load reaches the worker that is left.
    await until(() => target.requests.length > before + 200);
    await workers.find(({ threadName }) => threadName === 'doubletake-1')?.terminate();
    expect(await load).toMatchObject({ code: 0, stderr: '' });
    expect(await run(process.execPath, [loadClient, url, '300', 'after'])).toMatchObject({ code: 0, stderr: '' });

    const report = await engine.stop(5_000);
    expect(told).toEqual([expect.stringMatching(/^degraded: /) as string, expect.stringMatching(/^degraded: /) as string]);
    expect(report.gaps.bytes).toBeGreaterThan(300 * 100);
    expect(Object.values(report.sources)[0]?.proxy).toMatchObject({ refused: 0, unreachable: 0 });
  });
});

describe('real programs through a proxy', () => {
  const noCurl = missing('curl', 'nginx');
  const noWrk = missing('wrk', 'nginx');

  test('curl and nginx: keep-alive, a large upload, a large download, ranges, HTTP/1.0, Expect, HTTP/2', async (context) => {
    context.skip(noCurl !== null, noCurl ?? '');
    const http2Port = await freePort();
    const large = Buffer.alloc(20 << 20, 'a line of text that is repeated\n');
    const folder = folderWith({ 'large.txt': large });
    const { url: http } = await startNginx(
      `client_max_body_size 100m; server { listen 80; root ${folder}; location /echo { return 200 "$request_uri $content_length\\n"; } }
       server { listen 127.0.0.1:${http2Port} http2; location / { return 200 "over $server_protocol\\n"; } }`,
    );
    const target = await recordingTarget();
    const more = ['--percentage', '0', '--proxy', `127.0.0.1:${await freePort()}=http://127.0.0.1:${http2Port}`];
    const { mirror, url } = await startProxy(http, target.url, ...more);
    const curl = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run('curl', ['-sSf', '--max-time', '20', ...args]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout;
    };
    const got = join(folder, 'got');
    await curl('-o', got, `${url}/large.txt`);
    expect(await sha256(got)).toBe(createHash('sha256').update(large).digest('hex'));
    expect(await curl(`${url}/echo/1`, `${url}/echo/2%20x`)).toBe('/echo/1 \n/echo/2%20x \n');
    expect(await curl('-H', 'Expect: 100-continue', '--data-binary', `@${got}`, `${url}/echo`)).toBe(`/echo ${large.length}\n`);
    expect(await curl('-r', '10-19', `${url}/large.txt`)).toBe(large.toString('latin1', 10, 20));
    expect(await curl('--http1.0', `${url}/echo/old`)).toBe('/echo/old \n');
    expect(await curl('--http2-prior-knowledge', `http://${proxies(mirror)[1]}/`)).toBe('over HTTP/2.0\n');
    const { code, ledger } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 6, gaps: { bytes: 0 }, other: { http2: 1 }, production: { responses: { '2xx': 6 } } });
  });

  test('a WebSocket', async () => {
    const upstream = createServer();
    onTestFinished(() => {
      upstream.closeAllConnections();
      upstream.close();
    });
    upstream.on('upgrade', (request, socket) => {
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.on('error', () => {});
      socket.on('data', (frame: Buffer) => {
        // A short masked text frame (RFC 6455 section 5.2), which goes back without its mask.
        const length = frame[1] & 127;
        const payload = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ frame[2 + (at % 4)]));
        if ((frame[0] & 15) === 1) socket.write(Buffer.concat([Buffer.of(0x81, length), payload]));
        else socket.end();
      });
    });
    const target = await recordingTarget();
    const { mirror, url } = await startProxy(`http://127.0.0.1:${await listen(upstream)}`, target.url);
    const webSocket = new WebSocket(url.replace('http', 'ws'));
    const messages: unknown[] = [];
    webSocket.addEventListener('open', () => webSocket.send('first'));
    webSocket.addEventListener('message', ({ data }) => {
      messages.push(data);
      if (messages.length < 3) webSocket.send(`answer ${messages.length}`);
    });
    await until(() => messages.length === 3);
    webSocket.close();
    expect(messages).toEqual(['first', 'answer 1', 'answer 2']);
    const { code, ledger } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ outcomes: { blocked: { upgrade: 1 } }, other: { websocket: 1 } });
  });

  test('wrk: no request fails under load, and every one is accounted for', async (context) => {
    context.skip(noWrk !== null, noWrk ?? '');
    const { url: http } = await startNginx('keepalive_requests 1000000; server { listen 80; location / { return 200 "ok"; } }');
    const target = await recordingTarget();
    const { mirror, url } = await startProxy(http, target.url, '--percentage', '1');
    const { code, stdout } = await run('wrk', ['-t1', '-c64', '-d2s', url]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.not.stringMatching(/Socket errors|Non-2xx/) as string });
    const answered = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    const stopped = await mirror.stop();
    expect(stopped.code).toBe(0);
    expect(imbalances(stopped.ledger)).toEqual([]);
    // Copies may have been dropped, but then as gaps.
    if (stopped.ledger.gaps.bytes === 0) expect(stopped.ledger.captured).toBeGreaterThanOrEqual(answered);
  });
});

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
