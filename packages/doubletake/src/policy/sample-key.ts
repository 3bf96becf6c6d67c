/**
 * By what a request is sampled. Requests with the same key are in or out together. One that lacks the key is sampled by
 * the remote address instead, and that is counted: it must not fall on the same side always.
 */
import { formatAddress } from '../packets/address.ts';
import type { MessageHead } from '../http/head.ts';
import type { RequestView } from './request-view.ts';

export interface SampleOptions {
  /** Percent of the keys, from 0 to 100; fractions count, far below 0.001 too. */
  percentage: number;
  by:
    | 'request'
    | 'connection'
    | 'remote-address'
    | 'header'
    | 'cookie'
    | 'query'
    | 'path-segment'
    | 'jwt-claim';
  /** Name of the header, cookie or query parameter by which it is sampled. */
  header?: string | undefined;
  cookie?: string | undefined;
  query?: string | undefined;
  /** Number of the path segment, from 1. */
  segment?: number | undefined;
  /** Name of a top-level claim of the token in `Authorization: Bearer`; the token is read, not verified. */
  claim?: string | undefined;
  salt: string;
  /**
   * So many requests of each endpoint are in the sample in each minute of capture time, whatever their key. Absent,
   * the percentage alone decides.
   */
  atLeastPerMinute?: number | undefined;
}

/** Longer tokens are not looked into. */
const tokenCharsMax = 16_384;

/** The key of a request; empty when the request lacks it. */
export type SampleKey = (request: RequestView) => string;

export function sampleKey(options: SampleOptions): SampleKey {
  const { header = '', cookie = '', query = '', segment = 1, claim = '' } = options;
  switch (options.by) {
    case 'request':
      return ({ exchange: { connection, client, request, index } }) =>
        `${connection.label(client)} ${request.startSequence} ${request.startUs} ${index}`;
    case 'connection':
      return ({ exchange: { connection, client } }) => connection.label(client);
    case 'remote-address':
      return remoteAddress;
    case 'header':
      return ({ head }) => head.get(header) ?? '';
    case 'cookie':
      return (request) => firstValue((take) => request.someCookieValue(cookie, take));
    case 'query':
      return (request) => firstValue((take) => request.someQueryValue(query, take));
    case 'path-segment':
      return ({ path }) => path.split('/', segment + 1)[segment] ?? '';
    case 'jwt-claim':
      return ({ head }) => claimOf(head, claim);
  }
}

/**
 * The user's address. Where proxies are trusted it is the client's (client-address.ts); else the first that
 * X-Forwarded-For names, for behind a load balancer the connection's own address is the balancer's: good enough to keep
 * a user together, not to trust it.
 */
export function remoteAddress(request: RequestView): string {
  if (request.trustsProxies) return formatAddress(request.client);
  const forwarded = request.head.get('X-Forwarded-For')?.split(',', 1)[0]?.trim();
  if (forwarded !== undefined && forwarded !== '') return forwarded;
  const { connection, client } = request.exchange;
  return connection.address(client);
}

function firstValue(read: (take: (value: string) => boolean) => boolean): string {
  let first = '';
  read((value) => {
    first = value;
    return value !== '';
  });
  return first;
}

/** A claim that is text, a number or a truth value (RFC 7519 section 4), as text. */
function claimOf(head: MessageHead, claim: string): string {
  const authorization = head.get('Authorization') ?? '';
  if (authorization.length > tokenCharsMax) return '';
  const payload = /^bearer +[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(authorization)?.[1];
  if (payload === undefined) return '';
  const claims = parsed(Buffer.from(payload, 'base64url').toString('utf8'));
  if (typeof claims !== 'object' || claims === null || !Object.hasOwn(claims, claim)) return '';
  const value: unknown = Reflect.get(claims, claim);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Undefined when the text is not JSON, as anybody may send. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
