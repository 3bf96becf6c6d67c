import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, expect, test } from 'vitest';
import { recordingTarget, stopAll } from '../../../test/support/mirror.ts';
import { recorded } from '../../../test/support/recorded-traffic.ts';
import { CurlEncoder } from './curl-writer.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'doubletake-curl-'));
afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function post(target: string, fields: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`POST ${target} HTTP/1.1\r\nHost: shop.example\r\n${fields}Content-Length: ${body.length}\r\n\r\n`, 'latin1'), body]);
}

test('a shell and curl send what was recorded, whatever is in it', async () => {
  const requests = [
    "GET /a/../b/[1]?q={x,y}&p='$HOME'`id` HTTP/1.1\r\nHost: shop.example\r\nX-Empty:\r\nX-Odd: 'a' \"b\" $(id) \\ %\r\nUser-Agent: me\r\nAccept: x\r\n\r\n",
    post('/text', 'Content-Type: application/json\r\nUser-Agent: me\r\nAccept: x\r\n', Buffer.from('{"it\'s": "$HOME",\n "b": "ü"}')),
    post('/at', 'User-Agent: me\r\nAccept: x\r\n', Buffer.from('@/etc/hostname')),
    post('/binary', 'Content-Type: a/b\r\nUser-Agent: me\r\nAccept: x\r\n', Buffer.from([0, 1, 2, 255, 10, 13, 39])),
  ];
  const encoder = new CurlEncoder();
  const script = Buffer.concat([
    encoder.begin(),
    ...requests.flatMap((request) => {
      const encoded = encoder.encode(recorded({ request }));
      if (typeof encoded === 'string') throw new Error(encoded);
      return encoded;
    }),
    encoder.end(),
  ]);
  const file = join(folder, 'requests.sh');
  writeFileSync(file, script);
  const target = await recordingTarget();
  await run('sh', [file, target.url]);
  const sent = target.requests.map(({ head, body }) => ({
    line: head.split('\r\n')[0],
    fields: head.split('\r\n').slice(1).filter((field) => !/^(?:host|content-length):/i.test(field)).map((field) => field.replace(/: *$/, ':')),
    body: body.toString('latin1'),
  }));
  const meant = requests.map((request) => {
    const [head = '', ...rest] = Buffer.from(request as string, 'latin1').toString('latin1').split('\r\n\r\n');
    return {
      line: head.split('\r\n')[0],
      fields: head.split('\r\n').slice(1).filter((field) => !/^(?:host|content-length):/i.test(field)).map((field) => field.replace(/: *$/, ':')),
      body: rest.join('\r\n\r\n'),
    };
  });
  expect(sent.map(({ line, body }) => ({ line, body }))).toEqual(meant.map(({ line, body }) => ({ line, body })));
  for (const [index, { fields }] of sent.entries()) expect(fields.toSorted()).toEqual(meant[index]?.fields.toSorted());
});
