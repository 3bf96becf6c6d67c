import { describe, expect, test } from 'vitest';
import { formats, hasFormat, shapeOf } from './value-shape.ts';

describe('shapeOf', () => {
  test.each([
    [null, null, 'nothing'],
    ['null', 'null', 'null'],
    ['true', 'boolean', 'boolean'],
    ['', 'string', 'empty text'],
    ['17', 'number', 'integer'],
    ['17', 'string', 'integer as text'],
    ['17', 'text', 'integer'],
    ['-1.50', 'number', 'decimal number'],
    ['1e400', 'number', 'decimal number'],
    ['1760000000', 'number', 'seconds since 1970'],
    ['1760000000000', 'number', 'milliseconds since 1970'],
    ['1760000000000', 'string', 'milliseconds since 1970 as text'],
    ['0f8fad5b-d9cb-469f-a165-70867728950e', 'string', 'UUID'],
    ['2026-11-21T10:00:00Z', 'string', 'timestamp in UTC'],
    ['2026-11-21T10:00:00.123Z', 'string', 'timestamp in UTC, with fractions'],
    ['2026-11-21T10:00:00+01:00', 'string', 'timestamp with an offset'],
    ['2026-11-21 10:00:00', 'string', 'timestamp without a zone'],
    ['2026-11-21', 'string', 'date'],
    ['2026-99-99T10:00:00Z', 'string', 'text'],
    ['Sat, 21 Nov 2026 10:00:00 GMT', 'text', 'HTTP date'],
    ['d41d8cd98f00b204e9800998ecf8427e', 'string', 'hex of 32 digits'],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'text', 'trace context'],
    ['eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln', 'string', 'JWT'],
    ['01ARZ3NDEKTSV4RRFFQ69G5FAV', 'string', 'ULID'],
    ['cus_NffrFeUfNV2Hib', 'string', 'token'],
    ['a@example.com', 'string', 'e-mail address'],
    ['https://shop.example/orders/17?x=1', 'string', 'URL like /orders/{id}'],
    ['/orders/17', 'text', 'URL like /orders/{id}'],
    ['ACTIVE', 'string', 'word'],
    ['Alice Miller 17', 'string', 'text'],
    ['x'.repeat(100_000), 'string', 'word'],
    ['1'.repeat(100_000), 'string', 'text'],
  ])('of %s (%s) is %s', (value, type, name) => {
    expect(shapeOf(value, type).name).toBe(name);
  });

  test('knows when a timestamp is', () => {
    const times = ['2026-11-21T10:00:00Z', '2026-11-21T12:00:00+02:00', '2026-11-21 10:00:00', 'Sat, 21 Nov 2026 10:00:00 GMT', '1795255200'];
    for (const time of times) expect(shapeOf(time, 'string').timeMs).toBe(Date.UTC(2026, 10, 21, 10));
    expect(shapeOf('17', 'number').timeMs).toBeNull();
  });
});

test.each([
  ['0f8fad5b-d9cb-469f-a165-70867728950e', 'string', ['uuid', 'token', 'text']],
  ['1760000000', 'number', ['timestamp', 'number', 'integer']],
  ['17', 'number', ['number', 'integer']],
  ['1.5', 'number', ['number']],
  ['2026-11-21T10:00:00Z', 'string', ['timestamp', 'text']],
  ['hello there', 'string', ['text']],
  ['null', 'null', []],
])('%s (%s) has the formats %j', (value, type, expected) => {
  expect(formats.filter((format) => hasFormat(value, type, format))).toEqual(expected);
});
