/**
 * The requests with which a copying proxy is tried: each has something that proxies are known to lose or change. They are
 * marked, so that their copies are told from other traffic.
 */

/** Names the check and the request in its value: `RUN-NUMBER`. */
export const MARK_HEADER = 'X-Doubletake-Check';

export interface Probe {
  /** What it tries, as it is told to the user. */
  name: string;
  method: string;
  /** Request target behind the path of the URL that was given: empty, or beginning with `/` or `?`. */
  suffix: string;
  /** In order; names may repeat. */
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer | null;
  /** How the body is sent. */
  framing: 'none' | 'length' | 'chunked';
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const large = Buffer.alloc(300_000, 'doubletake ');

/** One of each. */
export const probes: readonly Probe[] = [
  bodiless('a plain GET', 'GET', ''),
  bodiless('a query with signs of all kinds', 'GET', '?a=1&a=2&empty=&flag&plus=a+b&q=%26%3D%3F&utf8=%C3%A9&slash=/x//y'),
  bodiless('percent-encoding in the path', 'GET', '/a%2Fb%20c/%C3%A9/%7Etilde'),
  bodiless('doubled slashes and dots in the path', 'GET', '//double/./dot/../x'),
  bodiless('a long request target', 'GET', `?long=${'x'.repeat(3_000)}`),
  bodiless('headers: order, repetition, case, a long one, bytes above ASCII', 'GET', '', [
    ['X-Check-First', '1'],
    ['X-Check-Twice', 'one'],
    ['x-check-lower', 'a'],
    ['X-Check-Twice', 'two'],
    ['X-Check-Long', 'y'.repeat(3_000)],
    ['X-Check-Latin', 'caf\u00e9'],
    ['Cookie', 'a=1; b="2"; c=%20'],
    ['Authorization', 'Bearer doubletake-check'],
    ['Accept-Encoding', 'gzip, br;q=0.5'],
    ['Referer', 'https://example.com/a?b=c'],
  ]),
  bodiless('HEAD', 'HEAD', ''),
  bodiless('OPTIONS', 'OPTIONS', ''),
  bodiless('DELETE without a body', 'DELETE', ''),
  withBody('POST with a length, every byte', 'POST', everyByte, 'length', 'application/octet-stream'),
  withBody('POST with a length of 0', 'POST', Buffer.alloc(0), 'length', 'text/plain'),
  withBody('POST in chunks', 'POST', everyByte, 'chunked', 'application/octet-stream'),
  withBody('POST of 300 kB', 'POST', large, 'length', 'text/plain'),
  withBody('POST of a form', 'POST', Buffer.from('a=1&b=%20&c=%C3%A9'), 'length', 'application/x-www-form-urlencoded'),
  withBody('PUT', 'PUT', Buffer.from('{"a":[1,2,3]}'), 'length', 'application/json'),
  withBody('PATCH in chunks', 'PATCH', Buffer.from('{"a":null}'), 'chunked', 'application/merge-patch+json'),
];

function bodiless(name: string, method: string, suffix: string, headers: Probe['headers'] = []): Probe {
  return { name, method, suffix, headers, body: null, framing: 'none' };
}

function withBody(name: string, method: string, body: Buffer, framing: 'length' | 'chunked', type: string): Probe {
  return { name, method, suffix: '', headers: [['Content-Type', type]], body, framing };
}
