import { describe, expect, test } from 'vitest';
import type { Answer, Pair } from '../pair.ts';
import { OwnAnswers } from './own-answers.ts';

function pairOf(second: number, target: string, { method = 'GET', host = 'h', headers = '', body = '' } = {}): Pair {
  const answer: Answer = {
    status: 200, failure: null, headers: [['A', 'b']], body: Buffer.from(`answer at ${second}`), bodyBytes: 9, bodySha256: null, firstByteMs: 1, totalMs: 1,
  };
  return {
    kind: 'candidate', id: String(second), timeUs: second * 1e6, session: 's', method, host, target,
    request: Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n${body}`), probability: 1, baseline: answer, candidate: answer,
  };
}

describe('OwnAnswers', () => {
  test.each<[name: string, second: Pair, found: boolean]>([
    ['the same request', pairOf(5, '/a'), true],
    ['the same request, too late', pairOf(12, '/a'), false],
    ['another target', pairOf(5, '/b'), false],
    ['another host', pairOf(5, '/a', { host: 'i' }), false],
    ['another user', pairOf(5, '/a', { headers: 'Cookie: sid=2\r\n' }), false],
    ['another body', pairOf(5, '/a', { body: 'x' }), false],
    ['another trace', pairOf(5, '/a', { headers: 'traceparent: 00-1\r\nX-Request-Id: 7\r\n' }), true],
    ['a request captured before', pairOf(0, '/a'), true],
  ])('of %s', (_, second, found) => {
    const own = new OwnAnswers(10_000);
    expect(own.push(pairOf(1, '/a'), true)).toBeNull();
    expect(own.push(second, true)?.body?.toString() ?? null).toBe(found ? 'answer at 1' : null);
  });

  test('of several clients, each its own', () => {
    const own = new OwnAnswers(10_000);
    const user = (id: number): { headers: string } => ({ headers: `Cookie: sid=${id}\r\n` });
    for (const id of [1, 2, 3]) own.push(pairOf(id, '/me', user(id)), true);
    expect(own.push(pairOf(4, '/me', user(1)), true)?.body?.toString()).toBe('answer at 1');
    expect(own.push(pairOf(5, '/me', user(1)), true)?.body?.toString()).toBe('answer at 4');
    expect(own.push(pairOf(6, '/me', user(1)), false)).toBeNull();
  });

  test('not across a change at the same host, nor of requests that change something', () => {
    const own = new OwnAnswers(10_000);
    own.push(pairOf(1, '/a'), true);
    own.push(pairOf(2, '/a', { method: 'POST', host: 'other' }), true);
    expect(own.push(pairOf(3, '/a'), true)).not.toBeNull();
    expect(own.push(pairOf(4, '/a', { method: 'POST' }), true)).toBeNull();
    expect(own.push(pairOf(5, '/a', { method: 'POST' }), true)).toBeNull();
    expect(own.push(pairOf(6, '/a'), true)).toBeNull();
    expect(own.push(pairOf(7, '/a'), true)).not.toBeNull();
  });

  test('forgets what is too much', () => {
    const own = new OwnAnswers(86_400_000);
    own.push(pairOf(1, '/first'), true);
    for (let index = 0; index < 10_001; index++) own.push(pairOf(2, `/${index}`), true);
    expect(own.push(pairOf(3, '/first'), true)).toBeNull();
    expect(own.push(pairOf(3, '/10000'), true)).not.toBeNull();
  });
});
