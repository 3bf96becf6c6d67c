import { describe, expect, test } from 'vitest';
import { exchangeOf, exchangesOf } from '../../test/support/exchanges.ts';
import type { Exchange } from '../http/exchange.ts';
import { type PolicyOptions, ReplayPolicy } from './policy.ts';
import { samplePoint } from './sample.ts';

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

const silent = { keyAbsent: (): void => {} };
const byUser = { by: 'header', header: 'X-User', salt: 's' } as const;

/** One request for each user. */
function requestsOf(users: number): Exchange[] {
  return Array.from({ length: users }, (_, index) => exchangeOf(`GET /${index} HTTP/1.1\r\nX-User: user-${index}\r\n\r\n`));
}

describe('a target with a share of its own', () => {
  const users = requestsOf(300);
  const shares = [0, 0.001, 0.1, 0.25, 0.5, 1];

  test.each([0, 0.001, 10, 40, 100])('goes on from the point by which %s percent are sampled', (percentage) => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage, ...byUser } });
    for (const [index, exchange] of users.entries()) {
      const decision = policy.decide(exchange, silent);
      const point = samplePoint('s', `user-${index}`);
      expect(policy.point).toBe(point);
      expect(shares.map((share) => policy.takenBy(share))).toEqual(shares.map((share) => point < (percentage / 100) * share));
      expect(shares.map((share) => policy.probabilityFor(share))).toEqual(shares.map((share) => (percentage / 100) * share));
      expect(policy.takenBy(1)).toBe(decision === 'replay');
    }
  });

  test('is told once of an absent key, and only when the key matters', () => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage: 100, ...byUser } });
    let absent = 0;
    const observer = { keyAbsent: () => absent++ };
    const withoutUser = exchangeOf('GET / HTTP/1.1\r\n\r\n');
    policy.decide(withoutUser, observer);
    expect(policy.takenBy(1)).toBe(true);
    expect(absent).toBe(0);
    expect(shares.map((share) => policy.takenBy(share))).toEqual(shares.map((share) => policy.point < share));
    expect(absent).toBe(1);
    policy.decide(withoutUser, observer);
    policy.takenBy(0.5);
    expect(absent).toBe(2);
  });

  test('does not keep the point of the request before', () => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage: 100, ...byUser } });
    const points = users.map((exchange) => {
      policy.decide(exchange, silent);
      return policy.point;
    });
    expect(new Set(points).size).toBe(users.length);
  });
});

describe('at least so many a minute', () => {
  const minuteUs = 60_000_000;

  function at(minute: number, text: string): Exchange {
    const exchange = exchangeOf(`${text}\r\n\r\n`);
    return { ...exchange, request: { ...exchange.request, endUs: 1_767_225_600_000_000 + minute * minuteUs } };
  }

  function decisions(options: Partial<PolicyOptions>, exchanges: readonly Exchange[]): string[] {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage: 0, ...byUser, atLeastPerMinute: 2 }, ...options });
    return exchanges.map((exchange) => policy.decide(exchange, silent));
  }

  test('the first of each endpoint are in, whatever their keys', () => {
    const user = at(0, 'GET /users/1 HTTP/1.1');
    const asked = [user, at(0, 'GET /users/2 HTTP/1.1'), at(0, 'GET //users/%33?x HTTP/1.1'), at(0, 'GET /rare HTTP/1.1'), user];
    expect(decisions({}, asked)).toEqual(['replay', 'replay', 'sampled_out', 'replay', 'sampled_out']);
    const later = at(1, 'GET /users/1 HTTP/1.1');
    expect(decisions({}, [user, user, user, later, user])).toEqual(['replay', 'replay', 'sampled_out', 'replay', 'sampled_out']);
  });

  test('what is not replayed anyway does not count', () => {
    const blocked = at(0, 'GET / HTTP/1.1\r\nUpgrade: websocket');
    const filtered = at(0, 'GET / HTTP/1.1\r\nX-Probe: 1');
    const wanted = at(0, 'GET / HTTP/1.1');
    const filters = [{ name: 'probe', exclude: { header: { name: 'X-Probe' } } }];
    const decided = decisions({ filters }, [blocked, blocked, filtered, filtered, wanted, wanted, wanted]);
    expect(decided.slice(0, 4)).toEqual(['blocked.upgrade', 'blocked.upgrade', 'filtered.probe', 'filtered.probe']);
    expect(decided.slice(4)).toEqual(['replay', 'replay', 'sampled_out']);
  });

  test('each of several workers takes its part, rounded up', () => {
    const wanted = Array.from({ length: 10 }, () => at(0, 'GET / HTTP/1.1'));
    const taken = (atLeastPerMinute: number, workers: number): number =>
      decisions({ sample: { percentage: 0, ...byUser, atLeastPerMinute }, workers }, wanted).filter((decision) => decision === 'replay')
        .length;
    expect([taken(8, 1), taken(8, 4), taken(5, 2), taken(1, 16)]).toEqual([8, 2, 3, 1]);
  });

  test('these are certain for every target with a share, and the share of the others stays', () => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage: 10, ...byUser, atLeastPerMinute: 1 } });
    const wanted = at(0, 'GET / HTTP/1.1\r\nX-User: user-1');
    const point = samplePoint('s', 'user-1');
    const asked = (): unknown => ({
      probability: policy.probability,
      taken: [0, 0.001, 1].map((share) => policy.takenBy(share)),
      probabilities: [0, 0.5, 1].map((share) => policy.probabilityFor(share)),
    });
    expect(policy.decide(wanted, silent)).toBe('replay');
    expect(asked()).toEqual({ probability: 1, taken: [false, true, true], probabilities: [0, 1, 1] });
    expect(policy.point).toBe(point);
    policy.decide(at(0, 'POST / HTTP/1.1'), silent);
    expect(policy.probability).toBe(0.1);
    expect(policy.decide(wanted, silent)).toBe(point < 0.1 ? 'replay' : 'sampled_out');
    expect(asked()).toEqual({ probability: 0.1, taken: [false, point < 0.0001, point < 0.1], probabilities: [0, 0.05, 0.1] });
  });

  test('the requests replayed, each divided by its probability, estimate those that could be replayed', () => {
    const policy = new ReplayPolicy({ methods: 'safe', sample: { percentage: 10, ...byUser, atLeastPerMinute: 500 } });
    const exchanges = requestsOf(3_000);
    let estimate = 0;
    for (const exchange of exchanges) if (policy.decide(exchange, silent) === 'replay') estimate += 1 / policy.probability;
    const deviation = Math.sqrt((2_500 * 0.9) / 0.1);
    expect(Math.abs(estimate - exchanges.length)).toBeLessThan(5 * deviation);
  });
});
