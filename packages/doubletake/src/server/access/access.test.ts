import { describe, expect, test } from 'vitest';
import { FailureLimit } from './failure-limit.ts';
import { KnownHosts } from './known-hosts.ts';
import { isCrossOrigin } from './same-origin.ts';
import { sessionMs, Sessions } from './sessions.ts';
import { generateToken, Tokens } from './tokens.ts';

describe('tokens', () => {
  test('tell roles; none but the whole token is one', () => {
    const tokens = new Tokens({ operator: 'operator-token-1', reader: 'reader-token-123' });
    const given = ['operator-token-1', 'reader-token-123', 'operator-token-', 'operator-token-11', 'OPERATOR-TOKEN-1', '', 'null'];
    expect(given.map((token) => tokens.roleOf(token))).toEqual(['operator', 'reader', null, null, null, null, null]);
    expect(new Tokens({ operator: null, reader: null }).roleOf('')).toBeNull();
  });

  test('that are made are long, and never the same', () => {
    const made = new Set(Array.from({ length: 100 }, generateToken));
    expect(made.size).toBe(100);
    for (const token of made) expect(token).toMatch(/^[\w-]{32}$/);
  });
});

describe('sessions', () => {
  test('hold for their time, and no longer', () => {
    const sessions = new Sessions();
    const id = sessions.open('reader', 1_000);
    expect(sessions.find(id, 1_000 + sessionMs - 1)).toMatchObject({ role: 'reader' });
    expect(sessions.find(`${id}x`, 1_000)).toBeNull();
    expect(sessions.find(id, 1_000 + sessionMs)).toBeNull();
  });

  test('that were found end with a logout', () => {
    const sessions = new Sessions();
    const id = sessions.open('operator', 0);
    const found = sessions.find(id, 1);
    sessions.close(id);
    expect(sessions.find(id, 2)).toBeNull();
    expect(found?.endsAtMs).toBe(0);
  });

  test('are a thousand at most: the oldest ends', () => {
    const sessions = new Sessions();
    const ids = Array.from({ length: 1_001 }, (_, index) => sessions.open('reader', index));
    expect([sessions.find(ids[0] ?? '', 2_000), sessions.find(ids[1] ?? '', 2_000)]).toEqual([null, expect.objectContaining({ role: 'reader' })]);
  });
});

describe('wrong tokens', () => {
  test('ten in a minute, then a wait until it is over', () => {
    const limit = new FailureLimit();
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(limit.waitMs('10.0.0.7', 1_000 + attempt)).toBe(0);
      limit.failed('10.0.0.7', 1_000 + attempt);
    }
    expect(limit.waitMs('10.0.0.7', 2_000)).toBe(59_000);
    expect(limit.waitMs('10.0.0.8', 2_000)).toBe(0);
    expect(limit.waitMs('10.0.0.7', 61_000)).toBe(0);
    limit.failed('10.0.0.7', 61_000);
    expect(limit.waitMs('10.0.0.7', 61_001)).toBe(0);
  });

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:9::', true],
    ['::1', '::2', true],
    ['fe80::1%eth0', 'fe80::2%eth0', true],
    ['::ffff:10.0.0.7', '10.0.0.7', true],
    ['::ffff:10.0.0.7', '::ffff:10.0.0.8', false],
    ['10.0.0.7', '10.0.0.71', false],
  ])('%s and %s are one client: %s', (one, other, same) => {
    const limit = new FailureLimit();
    for (let attempt = 0; attempt < 10; attempt++) limit.failed(one, 0);
    expect(limit.waitMs(other, 1) > 0).toBe(same);
  });

  test('of more clients than are kept, the first is forgotten', () => {
    const limit = new FailureLimit();
    for (let attempt = 0; attempt < 10; attempt++) limit.failed('192.0.2.1', 0);
    for (let client = 0; client < 10_000; client++) limit.failed(`10.0.${client >> 8}.${client & 255}`, 1);
    expect(limit.waitMs('192.0.2.1', 2)).toBe(0);
  });
});

test.each([
  ['127.0.0.1', [], 'localhost:9090', true],
  ['127.0.0.1', [], '10.0.0.7', false],
  ['10.0.0.7', [], '10.0.0.7:9090', true],
  ['10.0.0.7', [], 'example.net', false],
  ['::', [], '[2001:db8::1]:9090', true],
  ['mirror.internal', [], 'MIRROR.internal.', true],
  ['127.0.0.1', ['a.example'], 'a.example:443', true],
  ['127.0.0.1', ['a.example'], 'b.a.example', false],
  ['127.0.0.1', ['a.example'], 'a.example:443:1', false],
  ['127.0.0.1', ['a.example'], 'a.example/x', false],
  ['127.0.0.1', [], '0x7f000001', false],
  ['127.0.0.1', [], 'localhost@evil.example', false],
])('listening on %s, also called %o: %s is known: %s', (listen, names, host, known) => {
  expect(new KnownHosts(listen, names).knows(host)).toBe(known);
});

test.each([
  [{ host: 'a:1' }, false],
  [{ host: 'a:1', origin: 'http://a:1' }, false],
  [{ host: 'A.example', origin: 'https://a.example' }, false],
  [{ host: 'a:1', origin: 'http://a:2' }, true],
  [{ host: 'a:1', origin: 'http://a' }, true],
  [{ host: 'a:1', origin: 'null' }, true],
  [{ host: 'a:1', origin: 'http://a:1', 'sec-fetch-site': 'same-site' }, true],
  [{ host: 'a:1', 'sec-fetch-site': 'same-origin' }, false],
  [{ host: 'a:1', 'sec-fetch-site': 'none' }, false],
  [{ host: 'a:1', 'sec-fetch-site': 'cross-site' }, true],
])('%o is of another origin: %s', (headers, other) => {
  expect(isCrossOrigin(headers)).toBe(other);
});
