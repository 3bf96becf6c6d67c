import { describe, expect, test } from 'vitest';
import { exchangeOf, exchangesOf } from '../../test/support/exchanges.ts';
import { ReplayPolicy } from './policy.ts';
import { samplePoint } from './sample.ts';
import { remoteAddress, type SampleOptions, sampleKey } from './sample-key.ts';
import { RequestView } from './request-view.ts';

const salt = 's';

function keyOf(sample: Omit<SampleOptions, 'percentage' | 'salt'>, text: string, trustedProxies: string[] = []): string {
  const view = new RequestView(trustedProxies);
  view.show(exchangeOf(text));
  return sampleKey({ percentage: 50, salt, ...sample })(view);
}

const get = (target: string, ...fields: string[]): string => `${[`GET ${target} HTTP/1.1`, 'Host: a', ...fields].join('\r\n')}\r\n\r\n`;

function token(payload: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(payload)}.c2ln`;
}

describe('sampleKey', () => {
  const user = { by: 'jwt-claim', claim: 'sub' } as const;
  const bearer = (value: string): string => get('/', `Authorization: Bearer ${value}`);

  test.each<[Omit<SampleOptions, 'percentage' | 'salt'>, string, string]>([
    [{ by: 'header', header: 'X-User' }, get('/', 'x-user: alice'), 'alice'],
    [{ by: 'header', header: 'X-User' }, get('/'), ''],
    [{ by: 'cookie', cookie: 'sid' }, get('/', 'Cookie: a=b; sid=42; sid=43'), '42'],
    [{ by: 'cookie', cookie: 'sid' }, get('/', 'Cookie: SID=42'), ''],
    [{ by: 'cookie', cookie: 'sid' }, get('/', 'Cookie: sid=; sid=43'), '43'],
    [{ by: 'query', query: 'user' }, get('/?x=1&user=a%20b'), 'a b'],
    [{ by: 'query', query: 'user' }, get('/user=1'), ''],
    [{ by: 'path-segment', segment: 2 }, get('/users/42/orders?x'), '42'],
    [{ by: 'path-segment', segment: 2 }, get('//users/%34%32'), '42'],
    [{ by: 'path-segment', segment: 2 }, get('/users/'), ''],
    [{ by: 'path-segment', segment: 1 }, get('/'), ''],
    [{ by: 'connection' }, get('/'), '10.0.2.5:41234>10.0.1.2:80'],
    [{ by: 'remote-address' }, get('/'), '10.0.2.5'],
    [{ by: 'remote-address' }, get('/', 'X-Forwarded-For: 1.2.3.4, 5.6.7.8'), '1.2.3.4'],
    [user, bearer(token({ sub: 'alice' })), 'alice'],
    [user, get('/', `authorization: bearer ${token({ sub: 7 })}`), '7'],
    [{ ...user, claim: 'https://example.com/id' }, bearer(token({ 'https://example.com/id': 'é' })), 'é'],
    [user, bearer(token({ user: 'alice' })), ''],
    [user, bearer(token({ sub: { a: 1 } })), ''],
    [user, bearer(token(['sub'])), ''],
    [user, bearer(token(null)), ''],
    [{ ...user, claim: 'constructor' }, bearer(token({})), ''],
    [user, bearer('opaque'), ''],
    [user, bearer('a.!!!.c'), ''],
    [user, bearer('YQ.YQ.YQ'), ''],
    [user, bearer(token({ sub: 'a', more: 'x'.repeat(20_000) })), ''],
    [user, get('/', 'Authorization: Basic YTpi'), ''],
    [user, get('/'), ''],
  ])('%j of %j is %j', (sample, text, key) => {
    expect(keyOf(sample, text)).toBe(key);
  });

  test('behind trusted proxies the remote address is the client\'s, whatever it claims', () => {
    const text = get('/', 'X-Forwarded-For: 6.6.6.6, 1.2.3.4');
    expect(keyOf({ by: 'remote-address' }, text, ['10.0.0.0/8'])).toBe('1.2.3.4');
    expect(keyOf({ by: 'remote-address' }, text, ['192.0.2.0/24'])).toBe('10.0.2.5');
  });

  test('requests of one connection have one key by connection, and each its own by request', () => {
    const keys = (by: 'connection' | 'request'): Set<string> => {
      const view = new RequestView([]);
      return new Set(
        exchangesOf(get('/').repeat(5)).map((exchange) => {
          view.show(exchange);
          return sampleKey({ percentage: 50, salt, by })(view);
        }),
      );
    };
    expect(keys('connection').size).toBe(1);
    expect(keys('request').size).toBe(5);
  });
});

describe('a sample', () => {
  const samples: Omit<SampleOptions, 'percentage' | 'salt'>[] = [
    { by: 'header', header: 'X-User' },
    { by: 'cookie', cookie: 'sid' },
    { by: 'query', query: 'user' },
    { by: 'path-segment', segment: 1 },
    { by: 'jwt-claim', claim: 'sub' },
  ];
  /** A request that names the user in every place. */
  const requestOf = (user: string): string =>
    get(`/${user}?user=${user}`, `X-User: ${user}`, `Cookie: sid=${user}`, `Authorization: Bearer ${token({ sub: user })}`);
  const users = Array.from({ length: 300 }, (_, index) => exchangeOf(requestOf(`user-${index}`)));

  test.each(samples)('by %j is that of the pinned points, and who is in at 1 % is in at 10 %', (sample) => {
    const decisions = [0, 1, 10, 50, 100].map((percentage) => {
      const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage, salt, ...sample } });
      return users.map((exchange) => policy.decide(exchange, { keyAbsent: () => expect.unreachable() }) === 'replay');
    });
    for (const [index] of users.entries()) {
      const point = 100 * samplePoint(salt, `user-${index}`);
      expect(decisions.map((decision) => decision[index])).toEqual([0, 1, 10, 50, 100].map((percentage) => point < percentage));
    }
  });

  test.each(samples)('by %j falls back to the address, and says so', (sample) => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage: 50, salt, ...sample } });
    const view = new RequestView([]);
    let absent = 0;
    for (let host = 0; host < 100; host++) {
      const exchange = exchangeOf(get('/', `X-Forwarded-For: 192.0.2.${host}`));
      view.show(exchange);
      const isIn = samplePoint(salt, remoteAddress(view)) < 0.5;
      expect(policy.decide(exchange, { keyAbsent: () => absent++ })).toBe(isIn ? 'replay' : 'sampled_out');
    }
    expect(absent).toBe(100);
  });

  test.each([0.001, 0.1, 12.5, 100])('%s percent is the probability that is kept', (percentage) => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage, by: 'request', salt } });
    policy.decide(exchangeOf(get('/')), { keyAbsent: () => {} });
    expect(policy.probability).toBe(percentage / 100);
  });

  test('of 0.001 percent is about 20 of 2,000,000 keys', () => {
    let taken = 0;
    for (let user = 0; user < 2_000_000; user++) if (samplePoint(salt, `user-${user}`) < 0.001 / 100) taken++;
    expect(Math.abs(taken - 20)).toBeLessThan(5 * Math.sqrt(20));
  });
});
