/**
 * A request that a proxy copied to our mirror sink, as it was before: what proxies are known to change in a copy is put
 * back, and the connection becomes that of the client with the proxy, as far as the proxy tells who the client is.
 *
 * - Host: Envoy appends `-shadow` to the name (also Istio and others that are built on it).
 * - Request target: NGINX's `mirror` makes a subrequest under a path of its own; a configuration that does not send
 *   `$request_uri` as the path usually sends it as X-Original-URI.
 * - Client: the last entry of X-Forwarded-For is the address that the proxy itself saw, and is taken out again, so that
 *   a replay that appends the client says what production was told. Envoy adds its own address to a copy, which is
 *   passed over. Without X-Forwarded-For, X-Real-IP names the client.
 *
 * A client can write these fields too, but not last: what a proxy appends stands behind it.
 */
import type { Exchange } from '../http/exchange.ts';
import { Fidelity } from '../http/fidelity.ts';
import type { MessageHead } from '../http/head.ts';
import { Connection } from '../tcp/connection.ts';
import { parseForwarded } from './client-address.ts';
import { headOf } from './message-edit.ts';
import { parseAddress } from './network.ts';

const SHADOW_HOST = /^(.+)-shadow(:\d+)?$/i;
/** Paths that configurations of NGINX's mirror are usually found under, in the wild and in ingress controllers. */
const MIRROR_PATH = /^\/_?mirror(?:[-_/?].*)?$/;
const ORIGIN_FORM = /^\/[!-~\u0080-\u00ff]*$/;

/** Replaces bytes `[start, end)` of a head by `text`, latin1. */
interface Edit {
  start: number;
  end: number;
  text: string;
}

export class CopiedRequests {
  readonly #client = new Int32Array(4);
  #lastId = 0;

  /**
   * The exchange as the proxy had it before it made the copy, on a connection of its own: a proxy's connection carries
   * requests of many clients, so their order on it means nothing.
   */
  restore(exchange: Exchange): Exchange {
    const { head } = exchange.request;
    const edits: Edit[] = [];
    let fidelity = exchange.fidelity;
    const shadow = restoreHost(head, edits);
    if (shadow) fidelity |= Fidelity.hostRestored;
    if (restoreTarget(head, edits)) fidelity |= Fidelity.targetRestored;
    const connection = this.#connection(exchange, this.#findClient(exchange, shadow || head.has('x-envoy-internal'), edits));
    const restored = edits.length === 0 ? head : edited(head, edits);
    // Never expected, as each edit keeps a head a head; the copy then stays as it came.
    if (restored === null) return { ...exchange, connection };
    const request = restored === head ? exchange.request : { ...exchange.request, head: restored };
    const { client, index, response } = exchange;
    return { connection, client, index, request, response, fidelity };
  }

  /** Whether the proxy (`envoy` or another) names the client, whose address then stands in `#client`. */
  #findClient({ connection, client, request: { head } }: Exchange, envoy: boolean, edits: Edit[]): boolean {
    const field = head.lastIndexOf('x-forwarded-for');
    if (field < 0) {
      const realIp = head.get('x-real-ip');
      return realIp !== undefined && parseAddress(realIp, this.#client);
    }
    const value = head.value(field);
    for (let end = value.length; end > 0; ) {
      const comma = value.lastIndexOf(',', end - 1);
      const entry = value.slice(comma + 1, end).trim();
      end = Math.max(comma, 0);
      if (!parseForwarded(entry, this.#client)) return false;
      if (envoy && isAddress(connection, client, this.#client)) continue;
      const rest = value.slice(0, end).trimEnd();
      edits.push(
        rest === ''
          ? { start: head.lineStart(field), end: head.lineEnd(field), text: '' }
          : { start: head.valueStart(field), end: head.valueEnd(field), text: rest },
      );
      return true;
    }
    return false;
  }

  #connection({ connection, client }: Exchange, clientNamed: boolean): Connection<unknown> {
    const addresses = connection.addresses.slice();
    if (clientNamed) addresses.set(this.#client, client * 4);
    return new Connection<unknown>(++this.#lastId, 0, 0, addresses, connection.ports, connection.initiator);
  }
}

/** The head after `edits`, which do not overlap; null when what comes out is no head. */
function edited(head: MessageHead, edits: readonly Edit[]): MessageHead | null {
  const source = head.bytes.toString('latin1');
  let out = '';
  let copied = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    out += source.slice(copied, start) + text;
    copied = end;
  }
  return headOf('request', Buffer.from(out + source.slice(copied), 'latin1'))?.head ?? null;
}

function restoreHost(head: MessageHead, edits: Edit[]): boolean {
  const index = head.indexOf('host');
  if (index < 0) return false;
  const shadow = SHADOW_HOST.exec(head.value(index));
  if (shadow === null) return false;
  edits.push({ start: head.valueStart(index), end: head.valueEnd(index), text: `${shadow[1]}${shadow[2] ?? ''}` });
  return true;
}

function restoreTarget(head: MessageHead, edits: Edit[]): boolean {
  if (!MIRROR_PATH.test(head.target)) return false;
  const index = head.indexOf('x-original-uri');
  if (index < 0) return false;
  const original = head.value(index);
  if (!ORIGIN_FORM.test(original)) return false;
  edits.push({ start: head.targetStart, end: head.targetEnd, text: original });
  edits.push({ start: head.lineStart(index), end: head.lineEnd(index), text: '' });
  return true;
}

/** Whether one end of the connection has this address. */
function isAddress({ addresses }: Connection<unknown>, end: 0 | 1, words: Int32Array): boolean {
  return words.every((word, index) => word === addresses[end * 4 + index]);
}
