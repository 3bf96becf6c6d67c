import { describe, expect, test } from 'vitest';
import { exchangeOf, exchangesOf } from '../../test/support/exchanges.ts';
import { type PolicyOptions, ReplayPolicy } from './policy.ts';

const everything = { percentage: 100, by: 'request', salt: 's' } as const;

function decide(request: string, options: Partial<PolicyOptions> = {}): string {
  const policy = new ReplayPolicy({ methods: 'safe', sample: everything, ...options });
  return policy.decide(exchangeOf(request), { keyAbsent: () => {} });
}

describe('ReplayPolicy', () => {
  test.each([
    ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'replay'],
    ['HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 'replay'],
    ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'replay'],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 'blocked.method'],
    ['PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n', 'blocked.method'],
    ['get / HTTP/1.1\r\nHost: a\r\n\r\n', 'blocked.method'],
    ['CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 'blocked.connect'],
    ['GET / HTTP/1.1\r\nHost: a\r\nx-doubletake-id: 1\r\n\r\n', 'blocked.loop'],
    ['GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n', 'blocked.upgrade'],
    ['GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n', 'replay'],
    [
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      'blocked.ambiguous_framing',
    ],
  ])('by default %j is %s', (request, outcome) => {
    expect(decide(request)).toBe(outcome);
  });

  test('methods can be named, or all allowed; CONNECT never is', () => {
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
    expect(decide(post, { methods: ['POST'] })).toBe('replay');
    expect(decide('GET / HTTP/1.1\r\nHost: a\r\n\r\n', { methods: ['POST'] })).toBe('blocked.method');
    expect(decide(post, { methods: 'all' })).toBe('replay');
    expect(decide('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', { methods: 'all' })).toBe('blocked.connect');
  });

  const noAdmin = { name: 'no admin', exclude: { path: '/admin/**' } };

  test.each([
    ['GET /admin/x HTTP/1.1\r\nHost: a\r\n\r\n', 'filtered.no admin'],
    ['GET /x HTTP/1.1\r\nHost: a\r\n\r\n', 'replay'],
    // What the user does not want is not told as blocked.
    ['DELETE /admin/x HTTP/1.1\r\nHost: a\r\n\r\n', 'filtered.no admin'],
    ['DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n', 'blocked.method'],
    // No rule is asked about a request that is not understood, or that is our own.
    ['GET /admin/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 'blocked.ambiguous_framing'],
    ['GET /admin/x HTTP/1.1\r\nHost: a\r\nX-Doubletake-Id: 1\r\n\r\n', 'blocked.loop'],
  ])('with a filter %j is %s', (request, outcome) => {
    expect(decide(request, { filters: [noAdmin] })).toBe(outcome);
  });

  test('an include rule does not allow what is blocked', () => {
    const filters = [{ name: 'all of it', include: { path: '/**' } }];
    expect(decide('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', { filters })).toBe('blocked.method');
    expect(decide('GET / HTTP/1.1\r\nHost: a\r\n\r\n', { filters })).toBe('replay');
    expect(decide('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', { filters })).toBe('filtered.no_include_matched');
  });

  test('filters come before the sample', () => {
    const sample = { percentage: 0, by: 'request', salt: 's' } as const;
    expect(decide('GET /admin HTTP/1.1\r\nHost: a\r\n\r\n', { filters: [noAdmin], sample })).toBe('filtered.no admin');
    expect(decide('GET /x HTTP/1.1\r\nHost: a\r\n\r\n', { filters: [noAdmin], sample })).toBe('sampled_out');
  });

  test('by header, all requests of a user are in or all are out, and a missing header is told', () => {
    const policy = new ReplayPolicy({
      methods: 'safe',
      sample: { percentage: 50, by: 'header', header: 'X-User', salt: 's' },
    });
    let absent = 0;
    const observer = { keyAbsent: () => absent++ };
    const outcomes = (user: string): Set<string> =>
      new Set(
        exchangesOf(`GET /a HTTP/1.1\r\nHost: a\r\nX-User: ${user}\r\n\r\nGET /b HTTP/1.1\r\nx-user: ${user}\r\n\r\n`).map(
          (exchange) => policy.decide(exchange, observer),
        ),
      );
    const users = Array.from({ length: 100 }, (_, index) => outcomes(`user-${index}`));
    expect(users.every((decisions) => decisions.size === 1)).toBe(true);
    expect(users.filter((decisions) => decisions.has('replay')).length).toBeGreaterThan(25);
    expect(users.filter((decisions) => decisions.has('sampled_out')).length).toBeGreaterThan(25);
    expect(absent).toBe(0);
    policy.decide(exchangeOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), observer);
    expect(absent).toBe(1);
  });

  test('by remote address, the user behind a load balancer is the first that X-Forwarded-For names', () => {
    const sample = { percentage: 50, by: 'remote-address', salt: 's' } as const;
    const clients = Array.from({ length: 100 }, (_, index) => `10.1.0.${index}`);
    const through = (balancer: string): string[] =>
      clients.map((client) => decide(`GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${client}, ${balancer}\r\n\r\n`, { sample }));
    expect(through('10.9.9.1')).toEqual(through('10.9.9.2'));
    expect(new Set(through('10.9.9.1')).size).toBe(2);
  });

  test('by request, the requests of one connection are sampled one by one', () => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { ...everything, percentage: 50 } });
    const decisions = exchangesOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200)).map((exchange) =>
      policy.decide(exchange, { keyAbsent: () => {} }),
    );
    const replayed = decisions.filter((decision) => decision === 'replay').length;
    expect(replayed).toBeGreaterThan(60);
    expect(replayed).toBeLessThan(140);
  });
});
