import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../test/support/exchanges.ts';
import { growth } from '../../test/support/growth.ts';
import type { Exchange } from '../http/exchange.ts';
import { filterOutcomes, RequestFilter } from './filter.ts';
import type { Condition, FilterRule } from './filter-options.ts';
import { RequestView } from './request-view.ts';

/** Whether a condition holds for a request. */
function holds(condition: Condition, text: string, trustedProxies: string[] = []): boolean {
  const view = new RequestView(trustedProxies);
  view.show(exchangeOf(text));
  return new RequestFilter([{ name: 'it', exclude: condition }]).decide(view) !== null;
}

/** A request of one line and fields, from 10.0.2.5, with a body. */
function request(line: string, fields: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`];
  return `${[`${line} HTTP/1.1`, 'Host: shop.example:8080', ...fields, ...length].join('\r\n')}\r\n\r\n${body}`;
}

const get = (target: string, ...fields: string[]): string => request(`GET ${target}`, fields);

describe('a condition', () => {
  const table: [Condition, string[], string[]][] = [
    [{ method: 'GET' }, [get('/')], [request('POST /'), request('get /'), request('HEAD /')]],
    [{ method: ['PUT', 'PATCH'] }, [request('PUT /'), request('PATCH /')], [get('/')]],

    [{ path: '/api/**' }, [get('/api'), get('/api/v1/x?y=/'), get('http://other/api/x')], [get('/apis'), get('/x?/api/'), get('/API/x')]],
    [{ path: '/users/*' }, [get('/users/42'), get('/users/42?x')], [get('/users/42/orders'), get('/users')]],
    [{ path: ['/a', '/b', '/c/*'] }, [get('/a'), get('/b?x'), get('/c/d')], [get('/d'), get('/a/')]],
    [{ path: { prefix: '/admin' } }, [get('/admin'), get('/administrators/x')], [get('/x/admin')]],
    [{ path: { regex: '^/v[0-9]+/' } }, [get('/v1/x'), get('/v22/')], [get('/vx/'), get('/x/v1/')]],
    [{ path: { regex: '/private/' } }, [get('/x/private/y')], [get('/x?/private/')]],
    [{ path: '/admin/**' }, [get('/%61dmin/x'), get('//admin//x'), get('/a/../admin/x'), get('/./admin')], [get('/admin%2Fx'), get('/admin/../x')]],
    [{ path: '/café/*' }, [get('/caf%c3%a9/x'), get('/caf\xc3\xa9/x')], [get('/cafe/x')]],
    [{ path: '*' }, [request('OPTIONS *')], [get('/')]],

    [{ host: 'shop.example' }, [get('/'), get('http://SHOP.example./')], [get('http://other.example/')]],
    [{ host: '*.example' }, [get('/'), get('http://a.example:81/')], [get('http://a.b.example/'), get('http://example/')]],
    [{ host: ['**.Example', '[::1]'] }, [get('/'), get('http://a.b.example'), get('http://[::1]:80/')], [get('http://example.org/')]],

    [{ header: { name: 'x-debug' } }, [get('/', 'X-Debug: 1'), get('/', 'X-Debug:')], [get('/'), get('/', 'X-Debugger: 1')]],
    [{ header: { name: 'X-Tenant', value: ['acme', { prefix: 'test-' }] } }, [get('/', 'X-Tenant: acme'), get('/', 'X-Tenant: b', 'x-tenant: test-1')], [get('/', 'X-Tenant: acme2'), get('/', 'X-Tenant: a', 'X-Other: acme')]],
    [{ header: { name: 'Accept', value: '*json*' } }, [get('/', 'Accept: text/html, application/json;q=0.9')], [get('/', 'Accept: text/html')]],
    [{ header: { name: 'User-Agent', value: { regex: '(?i)^myapp/[12]\\.' } } }, [get('/', 'User-Agent: MyApp/2.3 (x)')], [get('/', 'User-Agent: x MyApp/2.3'), get('/', 'User-Agent: MyApp/3.0')]],

    [{ cookie: { name: 'beta' } }, [get('/', 'Cookie: a=1; beta=; c=2'), get('/', 'Cookie: a=1', 'Cookie: beta=2')], [get('/', 'Cookie: a=beta; xbeta=1'), get('/', 'Cookie: Beta=1'), get('/')]],
    [{ cookie: { name: 'plan', value: 'free' } }, [get('/', 'Cookie: plan=free'), get('/', 'Cookie: plan="free"'), get('/', 'Cookie: plan=a; plan=free')], [get('/', 'Cookie: plan=freedom')]],

    [{ query: { name: 'debug' } }, [get('/?debug'), get('/?a=b&debug=1'), get('/?%64ebug')], [get('/?debugger=1'), get('/debug'), get('/?a=debug')]],
    [{ query: { name: 'q', value: { regex: '^a b$' } } }, [get('/?q=a+b'), get('/?q=x&q=a%20b')], [get('/?q=a%2Bb')]],
    [{ query: { name: 'city', value: 'Zürich' } }, [get('/?city=Z%C3%BCrich')], [get('/?city=Z%FCrich')]],

    [{ client: '10.0.0.0/8' }, [get('/'), get('/', 'X-Forwarded-For: 1.2.3.4')], []],
    [{ client: ['192.0.2.0/24', '2001:db8::/32'] }, [], [get('/'), get('/', 'X-Forwarded-For: 192.0.2.1')]],

    [{ bodyBytes: { min: 3 } }, [request('POST /', [], 'abc')], [request('POST /', [], 'ab'), get('/')]],
    [{ bodyBytes: { max: 2 } }, [request('POST /', [], 'ab'), get('/')], [request('POST /', [], 'abc')]],
    [{ bodyBytes: { min: 1, max: 2 } }, [request('POST /', [], 'ab')], [get('/'), request('POST /', [], 'abc')]],
    [{ bodyBytes: { max: 3 } }, [request('POST /', ['Transfer-Encoding: chunked']) + '3;x=y\r\nabc\r\n0\r\n\r\n'], []],

    [{ contentType: 'application/json' }, [request('POST /', ['Content-Type: Application/JSON; charset=utf-8'], '{}')], [request('POST /', ['Content-Type: application/json5'], '{}'), get('/')]],
    [{ contentType: ['image/*', 'application/*+json'] }, [request('POST /', ['Content-Type: image/png'], 'x'), request('POST /', ['Content-Type: application/ld+json'], 'x')], [request('POST /', ['Content-Type: text/plain'], 'x')]],

    [{ method: 'GET', path: '/a' }, [get('/a')], [request('POST /a'), get('/b')]],
    [{ all: [{ method: 'GET' }, { path: '/a' }] }, [get('/a')], [request('POST /a'), get('/b')]],
    [{ any: [{ method: 'POST' }, { path: '/a' }] }, [get('/a'), request('POST /b')], [get('/b')]],
    [{ not: { path: '/a' } }, [get('/b')], [get('/a')]],
    [{ method: 'GET', not: { any: [{ path: '/a' }, { all: [{ path: '/b' }, { query: { name: 'x' } }] }] } }, [get('/b'), get('/c?x')], [get('/a'), get('/b?x'), request('POST /c')]],
  ];

  test.each(table)('%j', (condition, matching, others) => {
    expect(matching.filter((text) => !holds(condition, text))).toEqual([]);
    expect(others.filter((text) => holds(condition, text))).toEqual([]);
  });

  test('asks for the client that trusted proxies name', () => {
    const office: Condition = { client: '192.0.2.0/24' };
    expect(holds(office, get('/', 'X-Forwarded-For: 192.0.2.1'), ['10.0.0.0/8'])).toBe(true);
    expect(holds(office, get('/', 'X-Forwarded-For: 192.0.2.1, 198.51.100.1'), ['10.0.0.0/8'])).toBe(false);
  });
});

describe('RequestFilter', () => {
  const decide = (rules: FilterRule[], text: string): string | null => {
    const view = new RequestView([]);
    view.show(exchangeOf(text));
    return new RequestFilter(rules).decide(view);
  };
  const health: FilterRule = { name: 'no health', exclude: { path: '/api/health' } };
  const api: FilterRule = { name: 'api', include: { path: '/api/**' } };
  const legacy: FilterRule = { name: 'v1.0', exclude: { path: '/api/v1/**' } };

  test.each([
    [[health], '/api/health', 'filtered.no health'],
    [[health], '/other', null],
    [[health, api], '/api/health', 'filtered.no health'],
    [[health, api], '/api/x', null],
    [[health, api], '/other', 'filtered.no_include_matched'],
    [[api, health], '/api/health', null],
    [[health, legacy, api], '/api/v1/x', 'filtered.v1.0'],
  ] as [FilterRule[], string, string | null][])('%j: %s is %s', (rules, target, outcome) => {
    expect(decide(rules, get(target))).toBe(outcome);
    if (outcome !== null) expect(filterOutcomes(rules)).toContain(outcome);
  });

  test('names its outcomes once each', () => {
    expect(filterOutcomes([health, api, legacy, health])).toEqual([
      'filtered.no health',
      'filtered.v1.0',
      'filtered.no_include_matched',
    ]);
    expect(filterOutcomes([])).toEqual([]);
  });

  test('one view serves request after request', () => {
    const filter = new RequestFilter([
      { name: 'x', exclude: { any: [{ path: '/x' }, { query: { name: 'x' } }, { cookie: { name: 'x' } }, { host: 'x' }] } },
    ]);
    const view = new RequestView([]);
    const outcomes = [get('/x'), get('/'), get('/?x'), get('/'), get('/', 'Cookie: x=1'), get('http://x/'), get('/')].map((text) => {
      view.show(exchangeOf(text));
      return filter.decide(view) !== null;
    });
    expect(outcomes).toEqual([true, false, true, false, true, true, false]);
  });
});

describe('time grows with the length of the text and no faster', () => {
  const length = 5_000;
  const conditions: [string, Condition, (length: number) => string][] = [
    ['a nested regular expression', { path: { regex: '(a+)+$' } }, (n) => get(`/${'a'.repeat(n)}!`)],
    ['many stars', { path: '/*a*a*a*a*a*a*b' }, (n) => get(`/${'a'.repeat(n)}`)],
    ['many double stars', { path: '/**/a/**/a/**/a/**/b' }, (n) => get('/a'.repeat(n / 2))],
    ['dot segments', { path: '/x' }, (n) => get('/a/..'.repeat(n / 5))],
    ['percent-encoding', { path: '/x' }, (n) => get(`/${'%61'.repeat(n / 3)}`)],
    ['query parameters', { query: { name: 'x', value: '*a*a*b' } }, (n) => get(`/?${'x=a&'.repeat(n / 4)}`)],
    ['cookies', { cookie: { name: 'x', value: 'b' } }, (n) => get('/', `Cookie: ${'x="a;'.repeat(n / 5)}`)],
    ['health checks', { preset: 'health-checks' }, (n) => get('/', `User-Agent: ${'Consul Health '.repeat(n / 14)}`)],
    ['bots', { preset: 'bots' }, (n) => get('/', `User-Agent: ${'cubot'.repeat(n / 5)}`)],
    ['static assets', { preset: 'static-assets' }, (n) => get(`/${'.woff'.repeat(n / 5)}!`)],
    ['blanks in a cookie', { cookie: { name: 'x' } }, (n) => get('/', `Cookie: a${' '.repeat(n)}b`)],
    ['blanks in a media type', { contentType: 'a/b' }, (n) => get('/', `Content-Type: a${' '.repeat(n)}b`)],
    ['ports of a host', { host: 'a' }, (n) => get(`http://${':1'.repeat(n / 2)}x/`)],
    ['at signs', { host: 'a' }, (n) => get(`http://${'@'.repeat(n)}x/`)],
  ];

  test.each(conditions)('%s', (_title, condition, text) => {
    const filter = new RequestFilter([{ name: 'it', exclude: condition }]);
    const view = new RequestView([]);
    const deciding = (exchange: Exchange) => (): void => {
      for (let again = 0; again < 4; again++) {
        view.show(exchange);
        filter.decide(view);
      }
    };
    // A quadratic matcher would take ten.
    expect(growth(deciding(exchangeOf(text(length))), deciding(exchangeOf(text(10 * length))), 10, 3)).toBeLessThan(3);
  });
});
