import { describe, expect, test } from 'vitest';
import { BROKEN, NEED_MORE, ResponseReader } from './response-reader.ts';

interface Outcome {
  status: number;
  body: string;
  /** Offset behind the response; -1 when the end of the connection ended it. */
  end: number;
  persistent: boolean;
}

/** Feeds `text` in the given pieces; the outcome, or what is wrong. */
function read(text: string, cuts: readonly number[], method = 'GET', keep = 1 << 20): Outcome | string {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new ResponseReader(keep);
  reader.begin(method);
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    // Each piece lies in a buffer of its own with junk around it, as in a read buffer that is used again and again.
    const piece = Buffer.concat([Buffer.from('\r\n\r\nHTTP'), bytes.subarray(start, cut), Buffer.from('\r\n\r\nx')]);
    const at = reader.push(piece, 8, 8 + cut - start);
    if (at === BROKEN) return reader.error;
    if (at !== NEED_MORE) return outcome(reader, start + at - 8);
    start = cut;
  }
  return reader.end() ? outcome(reader, -1) : 'unfinished';
}

function outcome(reader: ResponseReader, end: number): Outcome {
  return {
    status: reader.status,
    body: reader.body()?.toString('latin1') ?? '(not kept)',
    end,
    persistent: reader.persistent,
  };
}

/** Whole, byte by byte, and cut at every point: all the same. */
function readEveryWay(text: string, method?: string): Outcome | string {
  const whole = read(text, [], method);
  const each = Array.from({ length: text.length }, (_, index) => index);
  expect(read(text, each, method)).toEqual(whole);
  for (const cut of each) expect(read(text, [cut], method)).toEqual(whole);
  return whole;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n';
const keepAlive10 = 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n';

function head(lines: string): string {
  return `${ok}${lines}\r\n\r\n`;
}

describe('a response is read to its end', () => {
  test.each([
    ['Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'GET', 'hello', true],
    ['odd case and blanks', 'HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh: \t5 \r\n\r\nhello', 'GET', 'hello', true],
    ['the same length twice', `${ok}Content-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello`, 'GET', 'hello', true],
    ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 'GET', '', true],
    ['HEAD with Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', 'HEAD', '', true],
    ['HEAD of a chunked answer', chunked, 'HEAD', '', true],
    ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n', 'GET', '', true],
    ['304 with Content-Length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n', 'GET', '', true],
    ['chunks', `${chunked}5\r\nhello\r\nA\r\n, world!!!\r\n0\r\n\r\n`, 'GET', 'hello, world!!!', true],
    ['extensions, trailers', `${chunked}5;a="b"\r\nhello\r\n0;x\r\nA: 1\r\nB: 2\r\n\r\n`, 'GET', 'hello', true],
    ['gzip under chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nzz\r\n0\r\n\r\n`, 'GET', 'zz', true],
    ['interim responses', `${interim}HTTP/1.1 201 C\r\nContent-Length: 1\r\n\r\nx`, 'POST', 'x', true],
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: TE, Close\r\nContent-Length: 1\r\n\r\nx', 'GET', 'x', false],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', 'GET', 'x', false],
    ['HTTP/1.0 kept alive', `${keepAlive10}Content-Length: 1\r\n\r\nx`, 'GET', 'x', true],
    ['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n', 'GET', '', false],
    ['CONNECT accepted', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'CONNECT', '', false],
    ['CONNECT refused', 'HTTP/1.1 405 No\r\nContent-Length: 3\r\n\r\nabc', 'CONNECT', 'abc', true],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX-Old: a\r\n  b\r\nContent-Length: 1\r\n\r\nx', 'GET', 'x', true],
  ])('%s', (_name, text, method, body, persistent) => {
    const status = Number(/HTTP\/1.. ([2-9]\d\d|101)/.exec(text)?.[1]);
    expect(readEveryWay(text, method)).toEqual({ status, body, end: text.length, persistent });
    // What follows belongs to nobody, and is not touched.
    expect(read(`${text}HTTP/1.1 500 junk`, [], method)).toEqual({ status, body, end: text.length, persistent });
  });

  test('a body without a length ends with the connection', () => {
    const result = readEveryWay('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nall of it');
    expect(result).toEqual({ status: 200, body: 'all of it', end: -1, persistent: false });
  });

  test('the end of the connection inside a measured body does not complete it', () => {
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell', [])).toBe('unfinished');
    expect(read(`${chunked}5\r\nhello\r\n0\r\n`, [])).toBe('unfinished');
  });

  test('a body beyond the limit is counted and not kept', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef';
    expect(read(text, [], 'GET', 6)).toMatchObject({ body: 'abcdef' });
    expect(read(text, [41], 'GET', 5)).toMatchObject({ body: '(not kept)', end: text.length });
  });

  test('Keep-Alive: timeout is reported', () => {
    const reader = new ResponseReader(0);
    reader.begin('GET');
    const text = Buffer.from('HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=7\r\nContent-Length: 0\r\n\r\n');
    expect(reader.push(text, 0, text.length)).toBe(text.length);
    expect(reader.keepAliveTimeoutMs).toBe(7000);
  });
});

describe('what is no sound HTTP/1 response is broken', () => {
  const cases = [
    ['SSH-2.0-OpenSSH_9.2\r\n', 'not an HTTP/1 status line'],
    ['HTTP/2 200 OK\r\n\r\n', 'not an HTTP/1 status line'],
    ['http/1.1 200 OK\r\n\r\n', 'not an HTTP/1 status line'],
    ['HTTP/1.1 20 OK\r\n\r\n', 'malformed status line'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'malformed status line'],
    ['HTTP/1.1 099 OK\r\n\r\n', 'malformed status line'],
    ['HTTP/1.1 200 O\nK\r\n\r\n', 'stray control character in the status line'],
    [head('Content-Length: 5, 6'), 'conflicting Content-Length'],
    [head('Content-Length: 5\r\nContent-Length: 6'), 'conflicting Content-Length'],
    [head('Content-Length: -1'), 'invalid Content-Length'],
    [head('Content-Length: 0x5'), 'invalid Content-Length'],
    [head('Content-Length:'), 'invalid Content-Length'],
    [head('Content-Length: 9999999999999999'), 'invalid Content-Length'],
    [head('Content-Length: 5\r\nTransfer-Encoding: chunked'), 'both Content-Length and Transfer-Encoding'],
    [head('Transfer-Encoding: chunked, gzip'), 'invalid Transfer-Encoding'],
    [head('Transfer-Encoding: chunked\r\n folded'), 'folded framing header'],
    ['HTTP/1.1 200 OK\r\n folded: status\r\n\r\n', 'folded framing header'],
    [head('Bad Name: x'), 'malformed header name'],
    [head('Name : x'), 'malformed header name'],
    [head(': x'), 'malformed header name'],
    [head('A: b\0c'), 'stray control character in a header'],
    [head('A: b\nC: d'), 'stray control character in a header'],
    [`${chunked}x\r\n`, 'malformed chunk size'],
    [`${chunked}\r\n`, 'malformed chunk size'],
    [`${chunked}5\nhello`, 'malformed chunk size'],
    [`${chunked}5\r\nhello!\r\n0\r\n\r\n`, 'chunk longer than its size'],
    [`${chunked}1234567890abc\r\n`, 'chunk size too large'],
    [`${chunked}1;${'x'.repeat(5000)}`, 'chunk extension too long'],
    [`${chunked}0\r\nA: b\n\r\n`, 'malformed chunk trailer'],
    [`${chunked}0\r\n${'x'.repeat(300_000)}`, 'chunk trailer too long'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300_000)}`, 'response head too large'],
    ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(17), 'too many interim responses'],
  ].map(([text = '', problem]) => [JSON.stringify(text.slice(0, 70)), text, problem] as const);
  test.each(cases)('%s', (_name, text, problem) => {
    expect(read(text, [])).toBe(problem);
    expect(read(text, [text.length >> 1])).toBe(problem);
    expect(read(text, Array.from({ length: text.length }, (_, index) => index))).toBe(problem);
  });
});
