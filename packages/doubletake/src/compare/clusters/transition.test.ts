import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Difference, DifferenceKind } from '../difference.ts';
import { transitionOf } from './transition.ts';

function difference(baseline: string | null, candidate: string | null, type = 'string', kind: DifferenceKind = 'value', path = '$.x'): Difference {
  const [baselineType, candidateType = baselineType] = type.split(' -> ');
  return { kind, path, place: path, baseline, candidate, baselineType, candidateType };
}

describe('transitionOf', () => {
  test.each<[from: string, to: string, type: string, text: string | null, cause: string]>([
    ['true', 'false', 'boolean', 'true -> false', 'the field is false'],
    ['12.345', '12.35', 'number', 'rounded', 'the field is rounded to fewer decimals'],
    ['12.6', '13', 'number', 'rounded', 'the field is rounded to fewer decimals'],
    ['12.6', '12', 'number', 'rounded', 'the field is rounded to fewer decimals'],
    ['5', '-5', 'number', 'sign', 'the field has the other sign'],
    ['12.5', '1250', 'number', '100 times', 'the field is 100 times what it was: another unit'],
    ['7200', '2', 'number', '1/3600 of', 'the field is 1/3600 of what it was: another unit'],
    ['7', '8', 'number', '+1', 'the field is off by one'],
    ['7', '19', 'number', null, 'the field has another value'],
    ['0', '5', 'number', null, 'the field has another value'],
    ['0.1', '0.30000000000000004', 'number', null, 'the field has another value'],
    ['0.30000000000000004', '0.3', 'number', 'last digits', 'the field differs in the last digits of a double'],
    ['9007199254740993', '9007199254740992', 'number', 'precision', 'the field is no longer exact: it went through a double'],
    ['2026-11-21T10:00:00Z', '2026-11-21T11:00:01Z', 'string', '+1 h', 'the field is off by 1 h: another time zone'],
    ['2026-11-21T10:00:00Z', '2026-11-21T04:30:00Z', 'string', '-5.5 h', 'the field is off by 5.5 h: another time zone'],
    ['2026-11-21T10:00:00Z', '2026-11-21T10:20:00Z', 'string', null, 'the field is another time'],
    ['2026-11-21T10:00:00Z', '2026-11-21T11:00:00+01:00', 'string', 'timestamp in UTC -> timestamp with an offset', 'the field writes the same time in another format'],
    ['2026-11-21T10:00:00Z', '2026-11-21T10:00:00.0Z', 'string', 'timestamp in UTC -> timestamp in UTC, with fractions', 'the field writes the same time in another format'],
    ['Straße', 'StraÃ\u009fe', 'string', 'encoding', 'the field is in the wrong character encoding'],
    ['Straße', 'Stra?e', 'string', 'encoding', 'the field is in the wrong character encoding'],
    ['Straße', 'Stra\uFFFDe', 'string', 'encoding', 'the field is in the wrong character encoding'],
    ['é', 'e\u0301', 'string', 'normalization', 'the field has its accents in another Unicode form'],
    ['a & b', 'a &amp; b', 'string', 'escaped', 'the field is escaped once more'],
    ['a%20b', 'a b', 'string', 'unescaped', 'the field is not escaped any more'],
    ['Some Title', 'some title', 'string', 'case', 'the field has other upper and lower case'],
    ['a  b', 'a b ', 'string', 'whitespace', 'the field has other whitespace'],
    ['a longer text', 'a longer', 'string', 'truncated', 'the field is cut off'],
    ['a longer text', 'a long...', 'string', 'truncated', 'the field is cut off'],
    ['something', '', 'string', 'empty', 'the field is empty'],
    ['ACTIVE', 'CLOSED', 'string', 'ACTIVE -> CLOSED', 'the field has another value'],
    ['ACTIVE', '7', 'string', 'word -> integer as text', 'the field has another format'],
    ['one text here', 'another text there', 'string', null, 'the field has another value'],
  ])('of %s to %s (%s) is %s', (from, to, type, text, cause) => {
    const { text: found, cause: words } = transitionOf(difference(from, to, type));
    expect([found, words]).toEqual([text, cause]);
  });

  test.each<[kind: DifferenceKind, from: string | null, to: string | null, type: string, path: string, text: string | null, cause: string]>([
    ['status', '200', '503', 'text', 'status', '200 -> 503', 'the candidate fails'],
    ['status', '200', '403', 'text', 'status', '200 -> 403', 'the candidate refuses access'],
    ['status', '200', '404', 'text', 'status', '200 -> 404', 'the candidate does not find it'],
    ['status', '200', '422', 'text', 'status', '200 -> 422', 'the candidate refuses the request'],
    ['status', '200', '302', 'text', 'status', '200 -> 302', 'the candidate redirects'],
    ['status', '500', '200', 'text', 'status', '500 -> 200', 'the candidate answers where the baseline fails'],
    ['failure', '200', 'reset', 'text', 'status', '200 -> reset', 'the candidate breaks off the connection'],
    ['failure', 'timeout', '200', 'text', 'status', 'timeout -> 200', 'the candidate answers where the baseline does not'],
    ['type', '1', '1', 'number -> string', '$.x', 'number -> string', 'the field has the same value as another type'],
    ['type', 'null', 'x', 'null -> string', '$.x', 'null -> string', 'the field was null and has a value'],
    ['type', 'text/html', 'text/plain', 'text', 'header:content-type', 'text/html -> text/plain', 'the header content-type has another type'],
    ['missing', 'x', null, 'string', '$.items[*]', null, 'an element of the array is gone'],
    ['missing', 'x', null, 'string', 'xml:/a/@b', null, 'the attribute is gone'],
    ['missing', '9 bytes', null, 'bytes', 'body', null, 'the body is gone'],
    ['extra', null, 'x', 'string', '$.user.password', null, 'the field is new, and by its name it should not leave the service'],
    ['extra', null, 'x', 'string', '$.user.nick', null, 'the field is new'],
    ['length', '20', '10', 'array', '$.items', 'shorter', 'there is less in it'],
    ['length', '20', '0', 'array', '$.items', 'empty', 'there is nothing in it'],
    ['order', 'a', 'b', 'array', '$.items', null, 'the same in another order'],
    ['malformed', null, 'not JSON', 'text', 'body', null, 'the candidate\'s body is not what it says it is'],
  ])('of kind %s, %s to %s', (kind, from, to, type, path, text, cause) => {
    const { text: found, cause: words } = transitionOf(difference(from, to, type, kind, path));
    expect([found, words]).toEqual([text, cause]);
  });

  test('has words for whatever comes', () => {
    const value = fc.oneof(fc.string({ maxLength: 256 }), fc.double().map(String), fc.constantFrom('%', '&', '%zz', '…', '1e999', '0'));
    fc.assert(
      fc.property(value, value, fc.constantFrom('string', 'number', 'text'), (from, to, type) => {
        const { text, cause } = transitionOf(difference(from, to, type));
        expect(cause).not.toBe('');
        expect((text ?? '').length).toBeLessThan(250);
      }),
    );
  });
});
