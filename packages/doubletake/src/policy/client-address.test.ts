import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../test/support/exchanges.ts';
import { formatAddress } from '../packets/address.ts';
import { readClientAddress } from './client-address.ts';
import { Networks } from './network.ts';

/** The client of a request that comes from 10.0.2.5 with these fields. */
function client(fields: string, trusted: string[] | null): string {
  const words = new Int32Array(4);
  const request = exchangeOf(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  readClientAddress(request, trusted === null ? null : new Networks(trusted), words);
  return formatAddress(words);
}

const proxies = ['10.0.0.0/8', '2001:db8:aaaa::/48'];

describe('readClientAddress', () => {
  test.each([
    ['without trusted proxies nobody is believed', 'X-Forwarded-For: 1.2.3.4\r\n', null, '10.0.2.5'],
    ['a connection that is no proxy\'s is not believed', 'X-Forwarded-For: 1.2.3.4\r\n', ['10.9.0.0/16'], '10.0.2.5'],
    ['the last entry is the proxy\'s own word', 'X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n', proxies, '1.2.3.4'],
    ['trusted proxies in between are passed', 'X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.7, 10.0.0.8\r\n', proxies, '1.2.3.4'],
    ['fields are read as one list', 'X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.7\r\n', proxies, '1.2.3.4'],
    ['where all are trusted it is the first', 'X-Forwarded-For: 10.0.0.9, 10.0.0.8\r\n', proxies, '10.0.0.9'],
    ['without the field it is the connection\'s', '', proxies, '10.0.2.5'],
    ['what is no address ends the search', 'X-Forwarded-For: 1.2.3.4, unknown, 10.0.0.8\r\n', proxies, '10.0.0.8'],
    ['empty entries do not count', 'X-Forwarded-For: 1.2.3.4, ,\r\n', proxies, '1.2.3.4'],
    ['a port is taken off', 'X-Forwarded-For: 1.2.3.4:5678\r\n', proxies, '1.2.3.4'],
    ['and the brackets of IPv6', 'X-Forwarded-For: [2001:db8::1]:443, [2001:db8:aaaa::9]\r\n', proxies, '2001:db8::1'],
    ['IPv6 comes bare as well', 'X-Forwarded-For: 2001:db8::1, 2001:db8:aaaa::9\r\n', proxies, '2001:db8::1'],
    ['a port that is none is no address', 'X-Forwarded-For: 1.2.3.4:x\r\n', proxies, '10.0.2.5'],
  ])('%s', (_title, fields, trusted, expected) => {
    expect(client(fields, trusted)).toBe(expected);
  });
});
