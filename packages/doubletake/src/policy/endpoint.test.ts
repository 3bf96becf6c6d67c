import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointOf } from './endpoint.ts';
import { normalPath } from './path-form.ts';

describe('endpointOf', () => {
  test.each([
    ['/', '/'],
    ['*', '*'],
    ['/users', '/users'],
    ['/users/', '/users/'],
    ['/users/42', '/users/{id}'],
    ['/users/42/orders/7', '/users/{id}/orders/{id}'],
    ['/v2/users', '/v2/users'],
    ['/oauth2/token', '/oauth2/token'],
    ['/a/-3.25', '/a/{id}'],
    ['/map/52.5200,13.4050', '/map/{id}'],
    ['/hosts/10.0.2.5', '/hosts/{id}'],
    ['/days/2026-11-21', '/days/{id}'],
    ['/days/20261121', '/days/{id}'],
    ['/at/2026-11-21T10:15:30.5Z', '/at/{id}'],
    ['/at/2026-11-21T10%3A15%3A30+02%3A00', '/at/{id}'],
    ['/carts/0f8fad5b-d9cb-469f-a165-70867728950e', '/carts/{id}'],
    ['/carts/0F8FAD5B-D9CB-469F-A165-70867728950E', '/carts/{id}'],
    ['/commits/3f2a9c1b', '/commits/{id}'],
    ['/commits/3f2a9c1', '/commits/3f2a9c1'],
    ['/wallets/0x52908400098527886E0F7030069857D2E4169EE7', '/wallets/{id}'],
    ['/events/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/events/{id}'],
    ['/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV', '/events/{id}'],
    ['/cuid/ckopqwooh000001la8mbi2im9', '/cuid/{id}'],
    ['/nanoid/V1StGXR8_Z5jdHi6B-myT', '/nanoid/{id}'],
    ['/customers/cus_NffrFeUfNV2Hib', '/customers/{id}'],
    ['/token/eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl', '/token/{id}'],
    ['/users/alice@example.com', '/users/{id}'],
    ['/users/alice%40example.com/inbox', '/users/{id}/inbox'],
    ['/orders/42.json', '/orders/{id}.json'],
    ['/images/0f8fad5b-d9cb-469f-a165-70867728950e.png', '/images/{id}.png'],
    ['/orders/42;jsessionid=1A2B/items', '/orders/{id}/items'],
    ['/orders;jsessionid=1A2B', '/orders'],
    ['/a'.repeat(12), '/a'.repeat(12)],
    ['/a'.repeat(13), `${'/a'.repeat(12)}/**`],
    ['/a'.repeat(99), `${'/a'.repeat(12)}/**`],
    [`/${'a'.repeat(48)}`, `/${'a'.repeat(48)}`],
    [`/${'a'.repeat(49)}`, '/{id}'],
    // Words stay.
    ['/@scope/package', '/@scope/package'],
    ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server'],
    ['/effaced/cafe', '/effaced/cafe'],
    ['/getUserV2', '/getUserV2'],
    ['/get_customer2', '/get_customer2'],
    ['/top-10-of-november-2026', '/top-10-of-november-2026'],
    ['/main.js', '/main.js'],
    ['/MAIN', '/MAIN'],
  ])('of %s is %s', (path, template) => {
    expect(endpointOf('GET', path)).toBe(`GET ${template}`);
  });

  test('tells methods apart, to a length that no method has', () => {
    expect(endpointOf('HEAD', '/')).toBe('HEAD /');
    expect(endpointOf('X'.repeat(200_000), '/')).toBe(`${'X'.repeat(20)} /`);
  });

  const identifier = fc.oneof(
    fc.bigInt().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((number) => number.toFixed(3)),
    fc.uuid(),
    fc.ulid(),
    fc.ipV4(),
    fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
    fc.bigInt(2n ** 60n, 2n ** 64n - 1n).map((number) => `0${number.toString(16)}`),
    fc.stringMatching(/^[a-z]{1,10}@[a-z]{1,10}\.[a-z]{2,6}$/),
  );

  test('all that is asked for by an identifier is one endpoint', () => {
    fc.assert(
      fc.property(identifier, identifier, (user, order) => {
        expect(endpointOf('GET', `/users/${user}/orders/${order}`)).toBe('GET /users/{id}/orders/{id}');
      }),
    );
  });

  test('is short, whatever the request', () => {
    const target = fc.string({ unit: 'binary-ascii', maxLength: 500 });
    fc.assert(
      fc.property(target, fc.nat(100), (text, times) => {
        expect(endpointOf('GET', normalPath(`/${text}`.repeat(times))).length).toBeLessThan(700);
      }),
    );
  });
});
