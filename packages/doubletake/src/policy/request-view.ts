/**
 * What filters and sampling look at in a request, taken apart when first asked for. One view serves all requests of a
 * policy, one after the other: what it returned is valid until the next `show`.
 */
import type { Exchange } from '../http/exchange.ts';
import type { MessageHead } from '../http/head.ts';
import { readClientAddress } from './client-address.ts';
import { Networks } from './network.ts';
import { normalPath } from './path-form.ts';

const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/is;

export class RequestView {
  readonly #trustedProxies: Networks | null;
  readonly #client = new Int32Array(4);
  #clientKnown = false;
  #exchange: Exchange | null = null;
  #path: string | null = null;
  #target: string | null = null;
  #authority: string | null = null;
  /** Names and values in turn. */
  #query: readonly string[] | null = null;
  #cookies: readonly string[] | null = null;

  /** `trustedProxies` are networks whose word about the client is taken. */
  constructor(trustedProxies: readonly string[]) {
    this.#trustedProxies = trustedProxies.length > 0 ? new Networks(trustedProxies) : null;
  }

  /** Turns to another request. */
  show(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#clientKnown = false;
    this.#path = null;
    this.#target = null;
    this.#authority = null;
    this.#query = null;
    this.#cookies = null;
  }

  get exchange(): Exchange {
    if (this.#exchange === null) throw new Error('the view shows no request yet');
    return this.#exchange;
  }

  get head(): MessageHead {
    return this.exchange.request.head;
  }

  /** Whether X-Forwarded-For can say who the client is. */
  get trustsProxies(): boolean {
    return this.#trustedProxies !== null;
  }

  /** Four words. */
  get client(): Int32Array {
    if (!this.#clientKnown) {
      readClientAddress(this.exchange, this.#trustedProxies, this.#client);
      this.#clientKnown = true;
    }
    return this.#client;
  }

  /** In the normal form; `*` for the server as a whole. */
  get path(): string {
    return (this.#path ??= normalPath(this.#originForm()));
  }

  /** In lower case, without port and final dot; empty when the request names none (RFC 9112 section 3.2). */
  get host(): string {
    this.#originForm();
    const authority = this.#authority ?? this.head.get('host') ?? '';
    return authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  }

  /** Without parameters, in lower case; empty when the request names none. */
  get mediaType(): string {
    return (this.head.get('content-type') ?? '').split(';', 1)[0].trim().toLowerCase();
  }

  /** Calls `test` with the values of a query parameter until it returns true; returns whether it did. */
  someQueryValue(name: string, test: (value: string) => boolean): boolean {
    return somePair((this.#query ??= queryPairs(this.#originForm())), name, test);
  }

  /** As `someQueryValue`, for a cookie; its name is case-sensitive (RFC 6265 section 5.3). */
  someCookieValue(name: string, test: (value: string) => boolean): boolean {
    return somePair((this.#cookies ??= cookiePairs(this.head)), name, test);
  }

  #originForm(): string {
    if (this.#target !== null) return this.#target;
    const { target } = this.head;
    const absolute = target.startsWith('/') ? null : ABSOLUTE_FORM.exec(target);
    if (absolute === null) return (this.#target = target);
    this.#authority = (absolute[1] ?? '').replace(/^.*@/s, '');
    const rest = absolute[2] ?? '';
    return (this.#target = rest.startsWith('/') ? rest : `/${rest}`);
  }
}

function somePair(pairs: readonly string[], name: string, test: (value: string) => boolean): boolean {
  for (let index = 0; index < pairs.length; index += 2) {
    if (pairs[index] === name && test(pairs[index + 1])) return true;
  }
  return false;
}

function queryPairs(target: string): string[] {
  const start = target.indexOf('?');
  if (start < 0) return [];
  const pairs: string[] = [];
  for (const pair of target.slice(start + 1).split('#', 1)[0].split('&')) {
    const equals = pair.indexOf('=');
    pairs.push(decoded(equals < 0 ? pair : pair.slice(0, equals)), decoded(equals < 0 ? '' : pair.slice(equals + 1)));
  }
  return pairs;
}

/** Form decoding; bytes that are not UTF-8 become U+FFFD. */
function decoded(latin1: string): string {
  if (!/[%+\x80-\xff]/.test(latin1)) return latin1;
  const bytes = latin1
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function cookiePairs(head: MessageHead): string[] {
  const pairs: string[] = [];
  for (const field of head.all('cookie')) {
    for (const pair of field.split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0) continue;
      pairs.push(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1'));
    }
  }
  return pairs;
}
