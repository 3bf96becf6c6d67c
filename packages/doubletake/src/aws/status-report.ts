/** Reads and puts together what `doubletake aws status` tells of a region of an account. */
import type { AwsConfig } from '../config/aws-config.ts';
import { DoubletakeError } from '../errors.ts';
import type { Scope } from './clients.ts';
import { type MirrorMetrics, readMetrics } from './metrics.ts';
import { planScope } from './reconcile.ts';
import { explainGaps, type Finding, mirroredInstances, type SessionStatus, sessionStatuses } from './status.ts';

export interface StatusReport {
  account: string;
  region: string;
  sessions: SessionStatus[];
  target: { resource: string; healthy: number | null; all: number | null };
  /** With the number of instances of which the same is true. */
  findings: (Finding & { instances: number })[];
  /** Steps that `plan` has. */
  pending: number;
  /** Instances that CloudWatch was not asked about. */
  unasked: number;
}

export interface StatusOptions {
  /** Since the epoch. */
  nowMs: number;
  /** How far back CloudWatch is asked. */
  windowMs: number;
  /** The most instances that it is asked about. */
  instancesMax: number;
}

/** Rejects with a `DoubletakeError`. */
export async function reportStatus(aws: AwsConfig, scope: Scope, { nowMs, windowMs, instancesMax }: StatusOptions): Promise<StatusReport> {
  const { inventory, plan } = await planScope(aws, scope);
  const instances = mirroredInstances(aws.name, inventory);
  const asked = instances.slice(0, instancesMax);
  const metrics = await readable(asked, nowMs, windowMs, scope);
  const { healthy, all, findings } = inventory.health;
  const sessions = sessionStatuses(aws.name, inventory, metrics.found);
  const gaps = [...[...findings, ...metrics.findings].map((text): Finding => ({ instance: null, text })), ...explainGaps(aws.name, inventory, sessions)];
  return {
    account: scope.account,
    region: scope.region,
    sessions,
    target: { resource: inventory.destination.resource, healthy, all },
    findings: [...Map.groupBy(gaps, ({ text }) => text).values()].flatMap((same) => same.slice(0, 1).map((first) => ({ ...first, instances: same.length }))),
    pending: plan.steps.length,
    unasked: instances.length - asked.length,
  };
}

/** Without the numbers where the credentials may not see them: the rest is worth telling. */
async function readable(
  instances: readonly string[],
  nowMs: number,
  windowMs: number,
  scope: Scope,
): Promise<{ found: ReadonlyMap<string, MirrorMetrics>; findings: string[] }> {
  try {
    return { found: await readMetrics(instances, nowMs, windowMs, scope), findings: [] };
  } catch (error) {
    if (!(error instanceof DoubletakeError) || error.code !== 'DT_AWS_PERMISSION') throw error;
    return { found: new Map(), findings: [`what was mirrored is not known: ${error.message}`] };
  }
}
