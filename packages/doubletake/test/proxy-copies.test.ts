/** Real proxies with the configurations that `doubletake generate` prints, and as clients of the mirror sink. */
import { createServer as createHttpServer, type IncomingMessage, request as httpRequest } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { CopyCheckReport } from '../src/engine/copy-check.ts';
import { haproxyConfig } from '../src/generate/haproxy.ts';
import { nginxConfig } from '../src/generate/nginx.ts';
import { recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';
import { findProgram, freePort, type Proxy, startCaddy, startHaproxy, startNginx } from './support/proxies.ts';
import { rawClient } from './support/raw-client.ts';
import { listen } from './support/replay-servers.ts';

afterEach(stopAll);

const has = (name: string): boolean => findProgram(name) !== null;

/** What stands behind the proxy: answers everything, and says what it saw. */
async function startProduction(): Promise<{ port: number; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createHttpServer((request, response) => {
    seen.push(request.resume());
    request.on('end', () => response.end('from production'));
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port, seen };
}

/** nginx before production, with the generated configuration. */
async function startCopyingNginx(sinkPort: number, percentage: number): Promise<Proxy & { production: { seen: IncomingMessage[] } }> {
  const production = await startProduction();
  const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
  const site = nginxConfig({ sink: at(sinkPort), production: at(production.port), percentage });
  return { ...(await startNginx(site.replace('location / {', 'location / { client_max_body_size 10m;'))), production };
}

async function verify(kind: string, url: string, port: number, ...more: string[]): Promise<{ code: number | null; report: CopyCheckReport }> {
  const { code, stdout, stderr } = await runCli(['generate', kind, '--verify', url, '--listen', `127.0.0.1:${port}`, '--json', ...more]);
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) as CopyCheckReport };
}

describe.skipIf(!has('nginx'))('nginx with the generated configuration', () => {
  test('every kind of request is copied as it was sent, in order', async () => {
    const sinkPort = await freePort();
    const nginx = await startCopyingNginx(sinkPort, 100);
    const { code, report } = await verify('nginx', `${nginx.url}/check`, sinkPort, '--requests', '50');
    expect(report.probes.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(report).toMatchObject({ share: { sent: 50, copies: 50, plausible: true }, inOrder: true, others: 0, ok: true });
    expect(code).toBe(0);
    // Copies have their body with a length, whatever it came with.
    expect(report.probes.find(({ name }) => name === 'POST in chunks')?.remarks).toContain('the body came with a length instead of in chunks');
  });

  test.each([
    [1, 1_000],
    [10, 400],
  ])('a share of %d percent is copied', async (percentage, requests) => {
    const sinkPort = await freePort();
    const nginx = await startCopyingNginx(sinkPort, percentage);
    const { report } = await verify('nginx', nginx.url, sinkPort, '--percentage', String(percentage), '--requests', String(requests));
    expect(report.share).toMatchObject({ sent: requests, plausible: true });
    expect(report.share.copies).toBeGreaterThan(0);
    expect(report.probes.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'unknown')).toEqual([]);
  });

  test('another share than expected is found out', async () => {
    const sinkPort = await freePort();
    const nginx = await startCopyingNginx(sinkPort, 20);
    const { code, report } = await verify('nginx', nginx.url, sinkPort, '--percentage', '50', '--requests', '200');
    expect({ code, ok: report.ok, plausible: report.share.plausible }).toEqual({ code: 1, ok: false, plausible: false });
  });

  test('a request goes through nginx to the sink to the target as nginx\'s client sent it, with production\'s request id', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--http-sink', '127.0.0.1:0', '--methods', 'all', '--host', 'original', '--target', target.url]);
    const nginx = await startCopyingNginx(Number(mirror.ready['http-sink']?.split(':')[1]), 100);
    const client = await rawClient(`127.0.0.1:${nginx.port}`);
    client.send('POST /a%2Fb?c=%20 HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
    await client.until('production\'s answer', (text) => text.includes('from production'));
    const [request] = await target.received(1);
    expect(request?.head.split('\r\n')).toEqual(
      expect.arrayContaining([
        'POST /a%2Fb?c=%20 HTTP/1.1',
        'Host: shop.example',
        'X-Forwarded-For: 203.0.113.9, 127.0.0.1',
        'X-Forwarded-Proto: https',
        `X-Forwarded-Port: ${nginx.port}`,
        `X-Request-ID: ${String(nginx.production.seen[0]?.headers['x-request-id'])}`,
      ]),
    );
    expect(request?.head).toMatch(/^X-Request-ID: [0-9a-f]{32}$/m);
    expect(request?.body.toString()).toBe('abc');
  });

  test('a body above the usual limit of 1 MB, which the location that copies takes, is copied', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--http-sink', '127.0.0.1:0', '--methods', 'all', '--target', target.url]);
    const nginx = await startCopyingNginx(Number(mirror.ready['http-sink']?.split(':')[1]), 100);
    const body = Buffer.alloc(3_000_000, 'large ');
    expect((await fetch(nginx.url, { method: 'POST', body })).status).toBe(200);
    const [copy] = await target.received(1);
    expect(copy?.body.equals(body)).toBe(true);
  });

  test.each([
    ['never answers', true],
    ['is not there', false],
  ])('a sink that %s keeps no client from its answer, and is left alone after some failures', async (_, there) => {
    let copies = 0;
    const sockets: Socket[] = [];
    const sink = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {}).on('data', () => copies++);
    });
    const sinkPort = there ? await listen(sink) : await freePort();
    onTestFinished(() => {
      sockets.forEach((socket) => socket.destroy());
      if (sink.listening) sink.close();
    });
    const nginx = await startCopyingNginx(sinkPort, 100);
    const client = await rawClient(`127.0.0.1:${nginx.port}`);
    const requests = 300;
    for (let number = 1; number <= requests; number++) {
      client.send(`GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.until(`answer ${number}`, (text) => text.split('from production').length - 1 === number);
    }
    expect(nginx.production.seen).toHaveLength(requests);
    if (there) expect(copies).toBeGreaterThan(0);
    // Only these can have made the client wait.
    expect(copies).toBeLessThan(20);
  });
});

test.skipIf(!has('haproxy'))('HAProxy with the generated configuration answers its clients while the agent is not there', async () => {
  const production = await startProduction();
  const sink = { host: '127.0.0.1', port: await freePort() };
  const generated = haproxyConfig({ sink, production: { host: '127.0.0.1', port: production.port }, percentage: 100 });
  const [, config = '', spoe = ''] = generated.split(/^# ---- .*$/m);
  const agent = await freePort();
  const haproxy = await startHaproxy(config.replace('bind :8080', 'bind 127.0.0.1:PORT').replace('127.0.0.1:12345', `127.0.0.1:${agent}`), {
    'doubletake-spoe.conf': spoe,
  });
  for (let number = 1; number <= 20; number++) {
    const response = await fetch(`${haproxy.url}/${number}`, { method: 'POST', body: 'abc' });
    expect(await response.text()).toBe('from production');
  }
});

test('a proxy that changes copies as Envoy does copies as it should, since the sink puts that back', async () => {
  const [sinkPort, production] = [await freePort(), await startProduction()];
  const proxy = createHttpServer((incoming, answer) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      const send = (port: number, headers: string[], done?: (response: IncomingMessage) => void): void => {
        const outgoing = httpRequest({ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers, setHost: false }, (response) => {
          response.resume();
          done?.(response);
        });
        outgoing.on('error', () => {}).end(Buffer.concat(pieces));
      };
      const { rawHeaders } = incoming;
      send(production.port, rawHeaders, () => answer.end());
      const shadowed = rawHeaders.map((text, index) => (rawHeaders[index - 1]?.toLowerCase() === 'host' ? text.replace(/(:\d+)$/, '-shadow$1') : text));
      send(sinkPort, [...shadowed, 'x-envoy-internal', 'true', 'x-forwarded-for', '198.51.100.7,127.0.0.1']);
    });
  });
  const port = await listen(proxy);
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const { code, stdout } = await runCli(['generate', 'envoy', '--verify', `http://127.0.0.1:${port}`, '--listen', `127.0.0.1:${sinkPort}`, '--requests', '20']);
  expect(stdout).toContain('Of every copy: the proxy changed Host, the sink put it back; the proxy added x-envoy-internal.\n20 of 20 requests were copied: 100.0 %, as expected of 100 %');
  expect({ code, end: stdout.trimEnd().split('\n').at(-1) }).toEqual({ code: 0, end: 'The proxy copies as it should.' });
});

describe('what does not copy as it should is found out', () => {
  test.skipIf(!has('nginx'))('an nginx that loses the query, the body and a header', async () => {
    const [sinkPort, production] = [await freePort(), await startProduction()];
    const nginx = await startNginx(`server { listen 80;
      location / { mirror /copy; proxy_pass http://127.0.0.1:${production.port}; }
      location = /copy { internal; proxy_pass http://127.0.0.1:${sinkPort}/; proxy_pass_request_body off; proxy_set_header Content-Length "";
        proxy_set_header Cookie ""; proxy_set_header Host wrong.example; } }`);
    const { code, report } = await verify('nginx', `${nginx.url}/check`, sinkPort, '--requests', '5');
    expect(code).toBe(1);
    const changesOf = (name: string): string => report.probes.find((probe) => probe.name === name)?.changes.join('; ') ?? '';
    expect(changesOf('a plain GET')).toBe(`the request target "/check" became "/"; Host: "127.0.0.1:${nginx.port}" became "wrong.example"`);
    expect(changesOf('headers: order, repetition, case, a long one, bytes above ASCII')).toContain('the header cookie is missing');
    expect(changesOf('POST with a length, every byte')).toContain('the body of 256 bytes is missing');
  });

  test('a proxy that copies nothing', async () => {
    const production = await startProduction();
    const { code, stdout } = await runCli(['generate', 'envoy', '--verify', `http://127.0.0.1:${production.port}`, '--listen', '127.0.0.1:0', '--requests', '3']);
    expect(code).toBe(1);
    expect(stdout).toContain('LOST       a plain GET\n           no copy came\n');
    expect(stdout).toContain('0 of 3 requests were copied: 0.0 %, NOT as expected of 100 %\n\nThe proxy does not copy as it should.\n');
  });

  test('a proxy that is not there', async () => {
    const port = await freePort();
    const { code, stdout } = await runCli(['generate', 'traefik', '--verify', `http://127.0.0.1:${port}`, '--listen', '127.0.0.1:0', '--requests', '0']);
    expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 1, first: 'UNANSWERED a plain GET' });
  });
});

describe('proxies as clients of the sink', () => {
  test.skipIf(!has('haproxy'))('HAProxy, with HTTP/1.1 and with HTTP/2', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--http-sink', '127.0.0.1:0', '--methods', 'all', '--target', target.url]);
    for (const protocol of ['', 'proto h2']) {
      const haproxy = await startHaproxy(`defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
listen sink
  bind 127.0.0.1:PORT
  option forwardfor
  server sink ${mirror.ready['http-sink']} ${protocol}
`);
      await throughProxy(haproxy);
    }
    expect((await target.received(8)).map(({ body }) => body.toString('latin1').length > 0)).toEqual([false, true, true, false, false, true, true, false]);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 8, outcomes: { replayed: 8 }, fidelity: { from_http2: 4 }, sink: { rejected: 0 } });
  });

  test.skipIf(!has('caddy'))('Caddy, with HTTP/1.1 and with HTTP/2', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--http-sink', '127.0.0.1:0', '--methods', 'all', '--target', target.url]);
    for (const scheme of ['http', 'h2c']) {
      await throughProxy(await startCaddy(`http://127.0.0.1:PORT {\n\treverse_proxy ${scheme}://${mirror.ready['http-sink']}\n}\n`));
    }
    await target.received(8);
    const { ledger } = await mirror.stop();
    expect(ledger).toMatchObject({ captured: 8, outcomes: { replayed: 8 }, fidelity: { from_http2: 4 }, sink: { rejected: 0 } });
  });
});

/** Four requests, one behind the other. */
async function throughProxy({ url }: Proxy): Promise<void> {
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from('abc'));
      controller.enqueue(Buffer.from('def'));
      controller.close();
    },
  });
  const init = [{}, { method: 'POST', body: 'x'.repeat(100_000) }, { method: 'PUT', body: chunked, duplex: 'half' }, { method: 'HEAD' }];
  for (const [index, one] of init.entries()) {
    expect((await fetch(`${url}/a%2Fb?number=${index}`, one as RequestInit)).status).toBe(204);
  }
}
