import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer, Pair } from '../pair.ts';
import { readRequest } from './request-parts.ts';
import { curlOf, harEntryOf } from './reproduce.ts';

const answer: Answer = {
  status: 200,
  failure: null,
  headers: [['Content-Type', 'text/plain'], ['Location', '/x']],
  body: Buffer.from('hello'),
  bodyBytes: 5,
  bodySha256: null,
  firstByteMs: 3,
  totalMs: 5,
};

function pairOf(method: string, target: string, headers: string[], body: Buffer | string = ''): Pair {
  const head = [`${method} ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n');
  return {
    kind: 'candidate',
    id: 'a',
    timeUs: Date.UTC(2026, 10, 21) * 1_000,
    session: 's',
    method,
    host: 'shop.example',
    target,
    request: Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]),
    probability: 1,
    baseline: answer,
    candidate: { ...answer, status: 500 },
  };
}

/** The arguments that curl gets from a shell, and what it can read on its standard input. */
function run(command: string, url = ''): { args: string[]; input: string } {
  const script = String.raw`curl() { for a; do printf '%s\0' "$a"; done; case "$*" in *@-*) base64 -w0;; esac; }; ${command}`;
  const out = execFileSync('sh', ['-c', script], { env: { PATH: process.env.PATH, DOUBLETAKE_URL: url }, encoding: 'latin1' });
  const parts = out.split('\0');
  return { args: parts.slice(0, -1), input: parts.at(-1) ?? '' };
}

describe('curlOf', () => {
  test('sends the request as it was', () => {
    const { args } = run(curlOf(pairOf('POST', '/a/../b?x[]={1}', ['Host: shop.example', 'Content-Type: text/plain', 'Content-Length: 5', 'X-Empty:'], '@it\'s')));
    expect(args).toEqual([
      '--globoff', '--path-as-is', '-sS', '-i', '-X', 'POST', 'http://shop.example/a/../b?x[]={1}',
      '-H', 'Host: shop.example', '-H', 'Content-Type: text/plain', '-H', 'X-Empty;', '--data-raw', '@it\'s',
    ]);
  });

  test('goes where the user wants it', () => {
    expect(run(curlOf(pairOf('GET', '/x', [])), 'http://127.0.0.1:1').args.at(-1)).toBe('http://127.0.0.1:1/x');
    expect(run(curlOf(pairOf('OPTIONS', '*', []))).args.slice(-3)).toEqual(['http://shop.example/', '--request-target', '*']);
    expect(run(curlOf(pairOf('HEAD', '/x', []))).args).toContain('--head');
  });

  test('pipes in what is no text, and takes chunks apart', () => {
    const bytes = Buffer.from([0, 255, 1]);
    const binary = run(curlOf(pairOf('PUT', '/x', ['Content-Type: a/b'], bytes)));
    expect(binary.args.slice(-2)).toEqual(['--data-binary', '@-']);
    expect(Buffer.from(binary.input, 'base64')).toEqual(bytes);
    const chunked = pairOf('POST', '/x', ['Transfer-Encoding: chunked', 'Content-Type: a/b'], '2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n');
    expect(run(curlOf(chunked)).args.slice(-2)).toEqual(['--data-raw', 'abc']);
  });

  test('has one argument for each thing, whatever it holds', () => {
    const hostile = fc.string({ unit: fc.constantFrom("'", '"', '$', '`', '\\', ';', '\n', ' ', '(', ')', '*', '!', 'é', 'x', '@', '-') });
    fc.assert(
      fc.property(hostile, hostile, hostile, (target, value, body) => {
        const header = value.replaceAll('\n', '').trim();
        const pair = pairOf('POST', `/${target.replaceAll(/[ \n]/g, '')}`, [`Content-Type: ${header}`], Buffer.from(body));
        const { args } = run(curlOf({ ...pair, host: `$(id)${value}` }));
        const bytes = (text: string): string => Buffer.from(text).toString('latin1');
        expect(args.slice(4)).toEqual([
          '-X', 'POST', bytes(`http://localhost${pair.target}`),
          '-H', header === '' ? 'Content-Type;' : bytes(`Content-Type: ${header}`),
          ...(body === '' ? [] : ['--data-raw', bytes(body)]),
        ]);
      }),
      { numRuns: 60 },
    );
  });
});

test('harEntryOf gives an entry with the answer of either side', () => {
  const pair = pairOf('POST', '/x?a=1&b=%20', ['Content-Type: text/plain'], 'body');
  expect(harEntryOf(pair, 'candidate')).toMatchObject({
    startedDateTime: '2026-11-21T00:00:00.000Z',
    time: 5,
    request: {
      method: 'POST',
      url: 'http://shop.example/x?a=1&b=%20',
      httpVersion: 'HTTP/1.1',
      queryString: [{ name: 'a', value: '1' }, { name: 'b', value: ' ' }],
      postData: { mimeType: 'text/plain', text: 'body' },
    },
    response: { status: 500, redirectURL: '/x', content: { size: 5, mimeType: 'text/plain', text: 'aGVsbG8=', encoding: 'base64' } },
    timings: { send: 0, wait: 3, receive: 2 },
  });
  expect(harEntryOf(pair, 'baseline')).toMatchObject({ response: { status: 200 } });
});

test('readRequest survives what is no request', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('', 'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'), (bytes, head) => {
      const { body } = readRequest(Buffer.concat([Buffer.from(head), bytes]));
      expect(body.length).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
