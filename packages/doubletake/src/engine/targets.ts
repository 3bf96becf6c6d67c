/** From a target in the configuration to one that takes requests. */
import { readFileSync } from 'node:fs';
import type { TargetConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import type { ProductionServers } from '../policy/production-servers.ts';
import { RequestWriter } from '../policy/request-writer.ts';
import { openRewriter, type Rewriter } from '../policy/rewrite/rewriter.ts';
import { RateLimit } from '../replay/rate-limit.ts';
import { ReplayTarget } from '../replay/replay-target.ts';
import type { TargetParts } from './target-unit.ts';

/** Idle connections are kept less long than servers keep them (nginx: 75 s), so that few are found dead. */
const idleTimeoutMs = 55_000;

/** Names are looked up again, and connections spread over the addresses found, this often. */
const connectionAgeMaxMs = 60_000;

/** The target's own certificate authorities as PEM text, or null for the system's. */
export function readAuthority({ ca }: TargetConfig): string | null {
  if (ca === undefined) return null;
  try {
    return readFileSync(ca, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_TARGET_CA', `cannot read the certificate authorities in ${ca}: ${reason}`);
  }
}

/** What a target needs beside its configuration. */
export interface TargetSurroundings {
  authority: string | null;
  rateLimit: SharedArrayBuffer | null;
  /** Among which the limits are shared out. */
  workers: number;
  trustedProxies: readonly string[];
  production: ProductionServers;
  /** Kept of each answer's body; 0 keeps none. */
  keepBodyBytesMax: number;
  /** As in `TargetOptions`. */
  sentLate: (ms: number) => void;
}

/** Makes sure that the target can be reached now and is not one of production's servers; rejects with one clear line. */
export async function checkTarget(config: TargetConfig, authority: string | null, production: ProductionServers): Promise<void> {
  const target = openTarget(config, authority, 1, production, 0);
  try {
    await target.check();
  } finally {
    await target.close(0);
  }
}

/** Memory for the rate limit of a target, which all workers share; null where it has none. */
export function createRateLimit({ limits }: TargetConfig): SharedArrayBuffer | null {
  return limits.requestsPerSecond === undefined ? null : RateLimit.createShared();
}

/** Throws a `DoubletakeError` for what cannot be used. */
export function openTargetUnit(config: TargetConfig, around: TargetSurroundings): TargetParts {
  const { limits } = config;
  return {
    config,
    trustedProxies: around.trustedProxies,
    target: openTarget(config, around.authority, around.workers, around.production, around.keepBodyBytesMax, around.sentLate),
    writer: new RequestWriter(new URL(config.url), config.host),
    rewriters: Array.from({ length: config.multiply }, (_, copy) => openTargetRewriter(config, copy, around.trustedProxies)),
    rateLimit:
      around.rateLimit === null || limits.requestsPerSecond === undefined
        ? null
        : new RateLimit(around.rateLimit, { perSecond: limits.requestsPerSecond, burst: limits.burst }),
  };
}

/** Null where a target gets its requests as they are. */
export function openTargetRewriter(
  { name, rewrite, credentials, idempotencyKey }: TargetConfig,
  copy: number,
  trustedProxies: readonly string[],
): Rewriter | null {
  try {
    return openRewriter({ rules: rewrite, credentials, idempotencyKey, copy, trustedProxies });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_CONFIG', `target ${name}: rewrite: ${reason}`, { cause: error });
  }
}

/** A client for a target. Throws a `DoubletakeError` for what cannot be used. */
export function openTarget(
  { name, url, limits, speed, rate }: TargetConfig,
  authority: string | null,
  workers: number,
  production: ProductionServers,
  keepBodyBytesMax: number,
  sentLate?: (ms: number) => void,
): ReplayTarget {
  const shared = (total: number): number => Math.max(1, Math.floor(total / workers));
  try {
    return new ReplayTarget({
      name,
      url: new URL(url),
      ...(authority === null ? {} : { ca: authority }),
      connectionsMax: shared(limits.connections ?? limits.inFlight),
      inFlightMax: shared(limits.inFlight),
      queueRequestsMax: shared(limits.queueRequests),
      queueBytesMax: shared(limits.queueBytes),
      connectTimeoutMs: limits.connectTimeoutMs,
      responseTimeoutMs: limits.responseTimeoutMs,
      idleTimeoutMs,
      connectionAgeMaxMs,
      keepBodyBytesMax,
      pace: rate !== undefined ? { perSecond: rate } : speed !== undefined ? { speed } : null,
      ...(sentLate === undefined ? {} : { sentLate }),
      refused: (address, port) => production.refuses(address, port),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_TARGET_OPTIONS', `target ${url}: ${reason}`, { cause: error });
  }
}
