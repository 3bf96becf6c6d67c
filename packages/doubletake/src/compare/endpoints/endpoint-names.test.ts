import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EndpointNames, otherEndpoint } from './endpoint-names.ts';

function visit(names: EndpointNames, paths: readonly string[], times = 1): string[] {
  return Array.from({ length: times }, () => paths.map((path) => names.nameOf('GET', path, null, null))).flat();
}

const titles = Array.from({ length: 40 }, (_, index) => `the-${['red', 'old', 'big', 'shy'][index % 4]}-house-${'abcdefghij'[Math.floor(index / 4)]}`);
const words = Array.from({ length: 676 }, (_, index) => String.fromCharCode(97 + Math.floor(index / 26), 97 + (index % 26)));

describe('EndpointNames', () => {
  test('knows identifiers by their form, at once', () => {
    const names = new EndpointNames([]);
    expect(visit(names, ['/users/42?x=1', '/users/43/orders/7', '/carts/0f8fad5b-d9cb-469f-a165-70867728950e', '*', '/'])).toEqual([
      'GET /users/{id}',
      'GET /users/{id}/orders/{id}',
      'GET /carts/{id}',
      'GET *',
      'GET /',
    ]);
  });

  test('learns slugs, and says what the names that it gave before are now', () => {
    const names = new EndpointNames([]);
    const given = visit(names, titles.map((title) => `/blog/${title}`));
    expect(given[0]).toBe(`GET /blog/${titles[0]}`);
    expect(given.at(-1)).toBe('GET /blog/{slug}');
    expect(names.merges).toBe(1);
    expect(new Set(given.map((name) => names.currentName(name)))).toEqual(new Set(['GET /blog/{slug}']));
    // Another method has learned with it.
    expect(names.nameOf('PUT', '/blog/never-seen-before', null, null)).toBe('PUT /blog/{slug}');
  });

  test('learns words behind which the same name follows, and keeps the one that is asked for often', () => {
    const names = new EndpointNames([]);
    visit(names, ['/users/me/inbox'], 200);
    visit(names, words.slice(0, 60).map((user) => `/users/${user}/inbox`));
    expect(visit(names, ['/users/zoe/inbox', '/users/me/inbox'])).toEqual(['GET /users/{slug}/inbox', 'GET /users/me/inbox']);
  });

  test('leaves the names of routes apart', () => {
    const names = new EndpointNames([]);
    const routes = words.slice(0, 80).flatMap((word) => [`/api/${word}/${word}x`, `/api/${word}/7`]);
    visit(names, routes, 1);
    expect(visit(names, ['/api/aa/aax', '/api/bb/7'])).toEqual(['GET /api/aa/aax', 'GET /api/bb/{id}']);
  });

  test('calls a place with identifiers and words what it was called before', () => {
    const names = new EndpointNames([]);
    visit(names, ['/items/1', '/items/2', ...titles.map((title) => `/items/${title}`)]);
    expect(visit(names, ['/items/3', '/items/another-good-title'])).toEqual(['GET /items/{id}', 'GET /items/{id}']);
  });

  test('takes the templates that it is given', () => {
    const names = new EndpointNames(['/a/{name}/b', '/a/special/b', 'POST /a/{x}', '/files/**', '/*/plain']);
    expect(visit(names, ['/a/x/b', '/a/special/b', '/a/x', '/files', '/files/1/2', '/q/plain', '/q/7'])).toEqual([
      'GET /a/{name}/b',
      'GET /a/special/b',
      'GET /a/x',
      'GET /files/**',
      'GET /files/**',
      'GET /*/plain',
      'GET /q/{id}',
    ]);
    expect(names.nameOf('POST', '/a/x', null, null)).toBe('POST /a/{x}');
  });

  test.each([
    ['/graphql', 'application/json', '{"operationName":"GetCart","query":"query Other { a }"}', '#GetCart'],
    ['/graphql', 'application/json', '{"query":"# query No\\nquery GetCart($id: ID!) { cart }"}', '#GetCart'],
    ['/graphql', 'application/json', '{"query":"fragment f on C { id } mutation Add { add }"}', '#Add'],
    ['/graphql', 'application/json', '{"query":"{ all: carts { id } }"}', '#{carts}'],
    ['/graphql', 'application/json', '{"extensions":{"persistedQuery":{"sha256Hash":"0123456789abcdef"}}}', '#0123456789ab'],
    ['/graphql', 'application/json', '[{"operationName":"A"},{"operationName":"B"}]', '#A+B'],
    ['/api', 'application/graphql', 'query Q { a }', '#Q'],
    ['/api', 'application/json', '{"query":"query Q { a }"}', '#Q'],
    ['/search', 'application/json', '{"query":"red shoes"}', ''],
    ['/rpc', 'application/json', '{"jsonrpc":"2.0","method":"cart.add","id":1}', '#cart.add'],
    ['/rpc', 'application/json', '[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"a"}]', '#a'],
    ['/rpc', 'application/json', '{"jsonrpc":"2.0","meth', ''],
    ['/graphql', 'application/json', 'null', ''],
    ['/upload', 'text/plain', '"jsonrpc"', ''],
  ])('of a body to %s as %s, %s, has the operation %s', (path, contentType, body, operation) => {
    expect(new EndpointNames([]).nameOf('POST', path, contentType, Buffer.from(body))).toBe(`POST ${path}${operation}`);
  });

  test('finds the operation in a query, too', () => {
    const names = new EndpointNames([]);
    expect(names.nameOf('GET', '/graphql?query=query%20Q%7Ba%7D', null, null)).toBe('GET /graphql#Q');
    expect(names.nameOf('GET', '/graphql?operationName=Z&extensions=%7B', null, null)).toBe('GET /graphql#Z');
  });

  test('tells a bounded number apart', () => {
    const names = new EndpointNames([]);
    const seen = new Set<string>();
    for (let index = 0; index < 30_000; index++) {
      seen.add(names.nameOf('POST', '/rpc', 'application/json', Buffer.from(`{"jsonrpc":"2.0","method":"m${index}"}`)));
    }
    expect(seen.size).toBe(10_001);
    expect(seen).toContain(otherEndpoint);
  });

  test('gives names that are their own current names, whatever the paths', () => {
    const segment = fc.oneof(fc.constantFrom('a', 'b', '7', 'me'), fc.string({ maxLength: 12 }), fc.constantFrom(...titles));
    fc.assert(
      fc.property(fc.array(fc.array(segment, { maxLength: 4 }), { maxLength: 60 }), (paths) => {
        const names = new EndpointNames([]);
        const given = paths.map((path) => names.nameOf('GET', `/${path.join('/')}`, null, null));
        const now = given.map((name) => names.currentName(name));
        expect(now.map((name) => names.currentName(name))).toEqual(now);
        // The same path has the same name as before, as it is called now.
        expect(paths.map((path) => names.currentName(names.nameOf('GET', `/${path.join('/')}`, null, null)))).toEqual(
          given.map((name) => names.currentName(name)),
        );
      }),
      { numRuns: 300 },
    );
  });
});
