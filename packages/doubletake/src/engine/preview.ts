/**
 * What would become of requests that are given as bytes: the same parser, policy and writer as in a mirror, on a
 * connection that is made up, and nothing is sent.
 */
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Conversation } from '../http/conversation.ts';
import type { Exchange, ExchangeHandler, OtherProtocol, PartialHeadReason } from '../http/exchange.ts';
import type { Outcome } from '../ledger/outcome.ts';
import { RequestFilter } from '../policy/filter.ts';
import { ReplayPolicy } from '../policy/policy.ts';
import { RequestView } from '../policy/request-view.ts';
import { RequestWriter } from '../policy/request-writer.ts';
import { Connection } from '../tcp/connection.ts';
import { openSanitizer } from './sanitizing.ts';
import { openTargetRewriter } from './targets.ts';

export interface RequestPreview {
  method: string;
  /** Request target as it came. */
  target: string;
  /** `replay`, or the outcome with which the request ends before any target is asked; sampling not considered. */
  decision: 'replay' | Outcome;
  /** `chance`: what decides (the connection, the client's address) is not in the request itself. */
  sample: 'in' | 'out' | 'chance';
  before: Buffer;
  /** After sanitizing; null when nothing is sanitized, or the request is not replayed. */
  sanitized: Buffer | null;
  /** What each target gets; none when the request is not replayed. */
  targets: TargetPreview[];
}

export interface TargetPreview {
  name: string;
  /** `replay`, or the outcome with which the request ends at this target; its percentage not considered. */
  decision: 'replay' | Outcome;
  /** What goes out; empty when nothing does. */
  bytes: Buffer;
}

/** Addresses for documentation (RFC 5737): the client's, then the server's. */
const addresses = Int32Array.of(0, 0, 0xffff, 0xc000_0201, 0, 0, 0xffff, 0xc633_6401);

/** Previews every request in `bytes`; a text when they are not requests. */
export function previewRequests(config: MirrorConfig, bytes: Buffer): RequestPreview[] | string {
  const collector = new Collector();
  const assembler = new ExchangeAssembler(collector);
  const connection = new Connection<Conversation>(1, 0, 0, addresses, [50_000, 80], 0);
  connection.state = assembler.open(connection);
  assembler.data(connection, 0, bytes, 0, bytes.length, 0, 0, 0, true);
  assembler.close(connection, 'fin', 0);
  if (collector.protocol !== null) return `this is not HTTP/1 (${collector.protocol})`;
  if (collector.exchanges.length === 0) {
    return collector.partial === 'too_large'
      ? 'the head of the request is longer than is ever read'
      : 'there is no whole request in it: a request line, headers, and an empty line';
  }
  return collector.exchanges.map((exchange) => preview(config, exchange));
}

function preview({ policy, targets }: MirrorConfig, exchange: Exchange): RequestPreview {
  const { head } = exchange.request;
  const verdict = decide(policy, exchange);
  const sanitizer = verdict === 'replay' ? openSanitizer(policy) : null;
  const safe = sanitizer === null ? exchange : sanitizer.sanitize(exchange);
  const decision = safe === null ? 'blocked.unsanitizable' : verdict;
  return {
    method: head.method,
    target: head.target,
    decision,
    sample: sampled(policy, exchange),
    before: bytesOf(exchange),
    sanitized: sanitizer === null || safe === null ? null : bytesOf(safe),
    targets:
      safe === null || decision !== 'replay'
        ? []
        : targets.map((target) => targetPreview(target, policy.trustedProxies, exchange, safe)),
  };
}

function targetPreview(config: TargetConfig, trustedProxies: readonly string[], exchange: Exchange, safe: Exchange): TargetPreview {
  const { name, url, host, filters } = config;
  const ends = (decision: Outcome): TargetPreview => ({ name, decision, bytes: Buffer.alloc(0) });
  const view = new RequestView(trustedProxies);
  view.show(exchange);
  const filtered = new RequestFilter(filters).decide(view);
  if (filtered !== null) return ends(filtered);
  const rewriter = openTargetRewriter(config, 0, trustedProxies);
  const written = rewriter === null ? safe : rewriter.rewrite(safe, 'preview', exchange);
  if (written === null) return ends('blocked.unrewritable');
  const outgoing = new RequestWriter(new URL(url), host).write(written, 'preview', null, 1, rewriter?.host ?? null);
  return { name, decision: 'replay', bytes: Buffer.concat(outgoing.bytes) };
}

function bytesOf({ request: { head, body } }: Exchange): Buffer {
  return Buffer.concat([head.bytes, ...(body.wire ?? [])]);
}

function decide(policy: MirrorConfig['policy'], exchange: Exchange): 'replay' | Outcome {
  const { outcome, body } = exchange.request;
  if (outcome !== 'complete') return `incomplete.${outcome}`;
  const all = new ReplayPolicy({ ...policy, sample: { ...policy.sample, percentage: 100 } });
  const verdict = all.decide(exchange, { keyAbsent: () => {} });
  if (verdict === 'replay' && body.wire === null && body.wireBytes > 0) return 'dropped.too_large';
  return verdict;
}

function sampled(policy: MirrorConfig['policy'], exchange: Exchange): RequestPreview['sample'] {
  const { percentage, by, atLeastPerMinute } = policy.sample;
  const byConnection = by === 'request' || by === 'connection';
  if (percentage === 100) return 'in';
  if (percentage === 0) return atLeastPerMinute === undefined ? 'out' : 'chance';
  let byAddress = by === 'remote-address';
  const verdict = new ReplayPolicy({ ...policy, sample: { ...policy.sample, atLeastPerMinute: undefined } }).decide(exchange, {
    keyAbsent: () => {
      byAddress = true;
    },
  });
  const addressKnown = exchange.request.head.indexOf('x-forwarded-for') >= 0;
  if (byConnection || (byAddress && !addressKnown)) return 'chance';
  if (verdict !== 'sampled_out') return 'in';
  return atLeastPerMinute === undefined ? 'out' : 'chance';
}

class Collector implements ExchangeHandler {
  readonly exchanges: Exchange[] = [];
  protocol: OtherProtocol | null = null;
  partial: PartialHeadReason | null = null;

  requestHead(): void {}

  request(exchange: Exchange): void {
    this.exchanges.push(exchange);
  }

  response(): void {}

  unanswered(): void {}

  orphanResponse(): void {}

  partialHead(_connection: unknown, _kind: string, reason: PartialHeadReason): void {
    this.partial = reason;
  }

  other(_connection: unknown, protocol: OtherProtocol): void {
    this.protocol = protocol;
  }

  skipped(): void {}
}
