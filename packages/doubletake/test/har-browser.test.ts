/**
 * A HAR that was made of a capture, in two programs that were not written for it: a page of Chromium is served its
 * recorded answers, and the importer of Chromium's DevTools, with which its network panel opens a HAR, reads it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pcapFile } from './support/capture-files.ts';
import { freePath } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { runCli } from './support/mirror.ts';
import { findProgram, missing } from './support/proxies.ts';
import { get, post } from './support/requests.ts';

function answer(type: string, body: string | Buffer, headers = '', status = '200 OK'): Buffer {
  const bytes = Buffer.from(body);
  const head = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

const page = '<!doctype html><meta charset="utf-8"><title>Müllers Laden</title><script src="/app.js?v=1"></script><img src="/dot.png">';
const script = `
  window.tell = async () => {
    const cheese = await (await fetch('/cheese')).json();
    const headers = { 'content-type': 'application/json' };
    const order = await fetch('/orders', { method: 'POST', body: '{"item":"Schlüssel"}', headers });
    const missing = await fetch('/missing');
    return [cheese.name, order.status, await order.text(), missing.status, document.images[0].naturalWidth];
  };`;
const onePixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const chunked = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"name":\r\n8\r\n"Käse"}\r\n0\r\n\r\n';

const exchanges: [request: Buffer | string, response: Buffer | string][] = [
  [get('/'), answer('text/html; charset=utf-8', page, 'Set-Cookie: session=abc; Path=/\r\nset-cookie: theme=dark\r\n')],
  [get('/app.js?v=1', 'Cookie: session=abc; theme=dark\r\n'), answer('text/javascript', gzipSync(script), 'Content-Encoding: gzip\r\n')],
  [get('/dot.png'), answer('image/png', Buffer.from(onePixel, 'base64'))],
  [get('/cheese'), Buffer.from(chunked)],
  [post('/orders', '{"item":"Schlüssel"}', 'Content-Type: application/json\r\n'), answer('text/plain; charset=utf-8', 'für Sie', '', '201 Created')],
  [get('/missing'), answer('text/plain', 'no', '', '404 Not Found')],
  [get('/back'), 'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'],
];

const absent = missing('chromium');
const har = freePath('.har');
let browser: Browser | null = null;

beforeEach((context) => context.skip(absent !== null, absent ?? ''));

beforeAll(async () => {
  const executablePath = findProgram('chromium');
  if (executablePath === null) return;
  const pcap = freePath('.pcap');
  writeFileSync(pcap, pcapFile(conversation({}, exchanges.flatMap(([client, server]) => [{ client }, { server }]))));
  const { code, stderr } = await runCli(['convert', pcap, har, '--quiet']);
  if (code !== 0) throw new Error(stderr);
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
}, 60_000);

afterAll(() => browser?.close());

test('a page is served from it', async () => {
  const context = await browser?.newContext();
  await context?.routeFromHAR(har, { notFound: 'abort' });
  const tab = await context?.newPage();
  const response = await tab?.goto('http://shop.example/back');
  expect(response?.url()).toBe('http://shop.example/');
  expect(await tab?.title()).toBe('Müllers Laden');
  expect(await tab?.evaluate('tell()')).toEqual(['Käse', 201, 'für Sie', 404, 1]);
});

/** Runs in the page of DevTools, whose modules it asks. */
const readByDevTools = `async (har) => {
  const { HARFormat, Importer } = await import('./models/har/har.js');
  const requests = Importer.Importer.requestsFromHARLog(new HARFormat.HARRoot(har).log);
  return Promise.all(requests.map(async (request) => {
    const content = await request.requestContentData();
    return {
      line: \`\${request.requestMethod} \${request.url()} \${request.statusCode} \${request.statusText}\`,
      finished: request.finished,
      ms: Math.round((request.endTime - request.startTime) * 1000),
      sent: await request.requestFormData(),
      got: content.isTextContent ? content.text : content.base64,
      cookies: [request.includedRequestCookies().length, request.responseCookies.length],
      server: request.remoteAddress(),
    };
  }));
}`;

test('the importer of DevTools reads it', async () => {
  const tab = await browser?.newPage();
  await tab?.goto('devtools://devtools/bundled/devtools_app.html');
  const read = await tab?.evaluate(`(${readByDevTools})(${readFileSync(har, 'utf8')})`);
  const common = { finished: true, ms: 2, sent: null, cookies: [0, 0], server: '10.0.1.2:80' };
  expect(read).toEqual([
    { ...common, line: 'GET http://shop.example/ 200 OK', got: page, cookies: [0, 2] },
    { ...common, line: 'GET http://shop.example/app.js?v=1 200 OK', got: script, cookies: [2, 0] },
    { ...common, line: 'GET http://shop.example/dot.png 200 OK', got: onePixel },
    { ...common, line: 'GET http://shop.example/cheese 200 OK', got: '{"name":"Käse"}' },
    { ...common, line: 'POST http://shop.example/orders 201 Created', sent: '{"item":"Schlüssel"}', got: 'für Sie' },
    { ...common, line: 'GET http://shop.example/missing 404 Not Found', got: 'no' },
    { ...common, line: 'GET http://shop.example/back 302 Found', got: '' },
  ]);
});
