import { describe, expect, test } from 'vitest';
import type { Credentials } from './options.ts';
import { OwnCredential } from './own-credential.ts';

const cases: [string, Credentials, string, string][] = [
  ['a token', { when: 'always', bearer: 's3cret' }, 'Authorization: Bearer s3cret', 'Authorization: *************'],
  ['a user', { when: 'always', basic: { user: 'u', password: 'p' } }, 'authorization: Basic dTpw', 'authorization: **********'],
  ['a header', { when: 'always', header: { name: 'X-Api-Key', value: 'a*key' } }, 'x-api-KEY: a*key', 'x-api-KEY: *****'],
  ['a short one', { when: 'always', header: { name: 'X-Api-Key', value: '6' } }, 'X-Other: 6\r\nX-Api-Key: 6', 'X-Other: 6\r\nX-Api-Key: *'],
  ['a cookie', { when: 'always', cookie: { name: 's.id', value: 's3cret' } }, 'Cookie: a=1; s.id=s3cret; b=2', 'Cookie: a=1; s.id=******; b=2'],
];

describe('the own credential of a target', () => {
  test.each(cases)('%s is hidden in what is kept, and put back', (_, credentials, line, masked) => {
    const request = (field: string): Buffer => Buffer.from(`POST /x HTTP/1.1\r\nHost: a\r\n${field}\r\nContent-Length: 6\r\n\r\ns3cret`);
    const kept = request(line);
    const own = new OwnCredential(credentials);
    own.hide(kept);
    expect(kept.toString()).toBe(request(masked).toString());
    expect(own.restore(kept).toString()).toBe(request(line).toString());
    // Wherever it is the last line, and cut off.
    const last = Buffer.from(`GET /x HTTP/1.1\r\n${line}\r\n\r\n`);
    own.hide(last);
    expect(own.restore(last).toString()).toBe(`GET /x HTTP/1.1\r\n${line}\r\n\r\n`);
  });

  test('another one since then takes its place; a request without it stays as it is', () => {
    const kept = Buffer.from('GET /x HTTP/1.1\r\nAuthorization: Bearer old\r\n\r\n');
    new OwnCredential({ when: 'always', bearer: 'old' }).hide(kept);
    const other = new OwnCredential({ when: 'always', bearer: 'new$&one' });
    expect(other.restore(kept).toString()).toBe('GET /x HTTP/1.1\r\nAuthorization: Bearer new$&one\r\n\r\n');
    const without = Buffer.from('GET /x HTTP/1.1\r\nX-Authorization: ***\r\n\r\n');
    expect(other.restore(without)).toBe(without);
  });
});
