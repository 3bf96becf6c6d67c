import { describe, expect, test } from 'vitest';
import type { Difference } from '../difference.ts';
import type { Answer, Pair } from '../pair.ts';
import { isTimeOfAnswer } from './answer-time.ts';

function answerOf(date: string | null): Answer {
  const headers: [string, string][] = date === null ? [] : [['Server', 'x'], ['Date', date]];
  return { status: 200, failure: null, headers, body: null, bodyBytes: 0, bodySha256: null, firstByteMs: 1, totalMs: 1 };
}

function isOfAnswers(from: string, to: string, dates: readonly [string | null, string | null], more: Partial<Difference> = {}): boolean {
  const [baseline, candidate] = dates.map(answerOf);
  const pair: Pair = {
    kind: 'candidate',
    id: '',
    timeUs: 0,
    session: '',
    method: 'GET',
    host: '',
    target: '/',
    request: Buffer.alloc(0),
    probability: 1,
    baseline,
    candidate,
  };
  const difference = { kind: 'value', path: '$.at', place: '$.at', baselineType: 'string', candidateType: 'string', ...more } as const;
  return isTimeOfAnswer({ ...difference, baseline: from, candidate: to }, pair);
}

const ten = 'Sat, 21 Nov 2026 10:00:00 GMT';
const tenTwelve = 'Sat, 21 Nov 2026 10:00:12 GMT';

describe('isTimeOfAnswer', () => {
  test.each([
    ['the present', '2026-11-21T10:00:00.730Z', '2026-11-21T10:00:12.002Z', true],
    ['the present, in an answer that took a second', '2026-11-21T09:59:59Z', '2026-11-21T10:00:12Z', true],
    ['what ends in an hour', '2026-11-21T11:00:00Z', '2026-11-21T11:00:12Z', true],
    ['as a number', '1795255200', '1795255212', true],
    ['as a date of HTTP', ten, tenTwelve, true],
    ['what should end in an hour and ends in a minute', '2026-11-21T11:00:00Z', '2026-11-21T10:01:12Z', false],
    ['the present, three seconds late', '2026-11-21T10:00:00Z', '2026-11-21T10:00:15Z', false],
    ['the present in another zone', '2026-11-21T10:00:00Z', '2026-11-21T11:00:12Z', false],
    ['the present in another format', '2026-11-21T10:00:00Z', '2026-11-21T10:00:12.000Z', false],
    ['what happened before', '2026-11-21T09:30:00Z', '2026-11-21T09:30:12Z', false],
    ['a day', '2026-11-22', '2026-11-23', false],
    ['no time', '17', '29', false],
  ])('%s', (_, from, to, expected) => {
    expect(isOfAnswers(from, to, [ten, tenTwelve])).toBe(expected);
  });

  test('cannot be told without the time of either answer', () => {
    for (const dates of [[null, tenTwelve], [ten, null], [ten, 'soon']] as const) {
      expect(isOfAnswers('2026-11-21T10:00:00Z', '2026-11-21T10:00:12Z', dates)).toBe(false);
    }
  });

  test('is about values alone', () => {
    expect(isOfAnswers('2026-11-21T10:00:00Z', '2026-11-21T10:00:12Z', [ten, tenTwelve], { kind: 'type' })).toBe(false);
  });
});
