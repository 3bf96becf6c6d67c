/** A request that differed, in forms in which it can be sent again: a curl command, and an entry of an HTTP archive. */
import type { Answer, Pair } from '../pair.ts';
import { headerOf, readRequest, type RequestParts } from './request-parts.ts';

const bodyCharsMax = 16_384;

/** Set by curl, or between two hops. */
const NOT_COPIED = /^(?:content-length|transfer-encoding|connection|keep-alive|te|upgrade|expect|x-doubletake-id|x-doubletake-mirrored-from)$/i;

/**
 * A command for a POSIX shell that sends the request to the host in the variable DOUBLETAKE_URL, which has the host that
 * was asked for as its default. A body that is no text is piped in, decoded from base64.
 */
export function curlOf(pair: Pair): string {
  const { headers, body } = readRequest(pair.request);
  const parts = ['curl', '--globoff', '--path-as-is', '-sS', '-i'];
  if (pair.method === 'HEAD') parts.push('--head');
  else if (pair.method !== 'GET' || body.length > 0) parts.push('-X', quoted(pair.method));
  const origin = /^[\w.:[\]-]+$/.test(pair.host) ? pair.host : 'localhost';
  const target = pair.target.startsWith('/') ? pair.target : '/';
  parts.push(`"\${DOUBLETAKE_URL:-http://${origin}}"${quoted(target)}`);
  if (!pair.target.startsWith('/')) parts.push('--request-target', quoted(pair.target));
  for (const [name, value] of headers) {
    // A header without a value is left out by curl, unless a semicolon follows its name.
    if (!NOT_COPIED.test(name)) parts.push('-H', quoted(value === '' ? `${name};` : `${name}: ${value}`));
  }
  if (body.length === 0) return parts.join(' ');
  const text = body.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(body) && !text.includes('\0');
  // The header without a value keeps curl from adding one of its own.
  if (headerOf(headers, 'content-type') === null) parts.push('-H', quoted('Content-Type:'));
  if (isText && text.length <= bodyCharsMax) return [...parts, '--data-raw', quoted(text)].join(' ');
  const kept = body.subarray(0, bodyCharsMax);
  const cut = kept.length < body.length ? ` # the first ${kept.length} of ${body.length} bytes` : '';
  return `printf %s ${kept.toString('base64')} | base64 -d | ${parts.join(' ')} --data-binary @-${cut}`;
}

/** In single quotes nothing is special to a shell but the quote itself. A NUL cannot be in an argument. */
function quoted(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", String.raw`'\''`)}'`;
}

/** An entry as in HAR 1.2 (`log.entries[]`), with the answer of one side. */
export function harEntryOf(pair: Pair, side: 'baseline' | 'candidate'): object {
  const { version, headers, body } = readRequest(pair.request);
  const answer = pair[side];
  const wait = Math.max(0, answer.firstByteMs);
  const receive = Math.max(0, answer.totalMs - answer.firstByteMs);
  return {
    startedDateTime: new Date(pair.timeUs / 1_000).toISOString(),
    time: wait + receive,
    request: {
      method: pair.method,
      url: `http://${pair.host}${pair.target}`,
      httpVersion: version,
      cookies: [],
      headers: named(headers),
      queryString: named([...new URLSearchParams(/\?.*/s.exec(pair.target)?.[0])]),
      headersSize: -1,
      bodySize: body.length,
      ...(body.length === 0 ? {} : { postData: { mimeType: headerOf(headers, 'content-type') ?? '', text: body.toString() } }),
    },
    response: harResponse(answer),
    cache: {},
    timings: { send: 0, wait, receive },
  };
}

function harResponse({ status, headers, body, bodyBytes, failure }: Answer): object {
  const content = body ?? Buffer.alloc(0);
  return {
    status,
    statusText: failure ?? '',
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: named(headers),
    redirectURL: headerOf([...headers], 'location') ?? '',
    headersSize: -1,
    bodySize: bodyBytes,
    content: {
      size: bodyBytes,
      mimeType: headerOf([...headers], 'content-type') ?? '',
      // With its content coding on, it is no text.
      ...(content.length === 0 ? {} : { text: content.toString('base64'), encoding: 'base64' }),
    },
  };
}

function named(headers: RequestParts['headers'] | Answer['headers']): object[] {
  return headers.map(([name, value]) => ({ name, value }));
}
