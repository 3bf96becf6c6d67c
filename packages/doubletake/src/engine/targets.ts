/** From a target in the configuration to one that takes requests. */
import { readFileSync } from 'node:fs';
import type { TargetConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { RequestWriter } from '../policy/request-writer.ts';
import { ReplayTarget } from '../replay/replay-target.ts';
import type { TargetLine } from './dispatcher.ts';

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

/** Makes sure that the target can be reached now; rejects with one clear line. */
export async function checkTarget(config: TargetConfig, authority: string | null): Promise<void> {
  const target = openTarget(config, authority);
  try {
    await target.check();
  } finally {
    await target.close(0);
  }
}

export function openTargetLine(config: TargetConfig, authority: string | null): TargetLine {
  return {
    name: config.name,
    target: openTarget(config, authority),
    writer: new RequestWriter(new URL(config.url), config.host),
    keepOrder: config.ordering === 'connection',
  };
}

function openTarget({ name, url, limits }: TargetConfig, authority: string | null): ReplayTarget {
  try {
    return new ReplayTarget({
      name,
      url: new URL(url),
      ...(authority === null ? {} : { ca: authority }),
      connectionsMax: limits.inFlight,
      queueRequestsMax: limits.queueRequests,
      queueBytesMax: limits.queueBytes,
      connectTimeoutMs: limits.connectTimeoutMs,
      responseTimeoutMs: limits.responseTimeoutMs,
      idleTimeoutMs,
      connectionAgeMaxMs,
      keepBodyBytesMax: 0,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_TARGET_OPTIONS', `target ${url}: ${reason}`, { cause: error });
  }
}
