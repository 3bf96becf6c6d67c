/** Runs of the control plane against a fake AWS, without waits. */
import type { AwsConfig } from '../../../src/config/aws-config.ts';
import { ConfigDocument } from '../../../src/config/document.ts';
import { buildAwsConfig } from '../../../src/config/load.ts';
import type { StepResult } from '../../../src/aws/apply.ts';
import { openScopes } from '../../../src/aws/clients.ts';
import { applyPlan, planScope, planScopeRemoval, type ScopePlan } from '../../../src/aws/reconcile.ts';
import type { Backoff } from '../../../src/aws/retry.ts';
import { balancerName } from './fleet.ts';

/** Tries as often as the usual one, and waits for nothing but the next turn of the event loop. */
export const quickBackoff: Backoff = {
  attemptsMax: 12,
  firstMs: 1,
  mostMs: 1,
  random: () => 0,
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
};

export const onceOnly: Backoff = { ...quickBackoff, attemptsMax: 1 };

/** `aws` of a configuration with what most tests want, and `settings` over it. */
export function awsConfig(settings: object = {}): AwsConfig {
  const usual = { region: 'eu-central-1', sources: [{ tags: { app: 'shop' } }], filter: { ports: [80], clients: ['0.0.0.0/0'] }, target: { networkLoadBalancer: balancerName } };
  const aws = buildAwsConfig(new ConfigDocument('test.yaml', JSON.stringify({ aws: { ...usual, ...settings } }), {}));
  if (aws === undefined) throw new Error('there is no aws');
  return aws;
}

export async function planAll(aws: AwsConfig, backoff = quickBackoff): Promise<ScopePlan[]> {
  const scopes = await openScopes(aws, { backoff, signal: null });
  return Promise.all(scopes.map((scope) => planScope(aws, scope)));
}

/** Plans and applies, at a time of its own. */
export async function applyAll(aws: AwsConfig, { backoff = quickBackoff, nowMs = 1_700_000_000_000, callsAtOnce = 8, signal = null as AbortSignal | null } = {}): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const plan of await planAll(aws)) {
    results.push(...(await applyPlan(plan, nowMs, { name: aws.name, backoff, callsAtOnce, signal, onResult: () => {} })));
  }
  return results;
}

/** Removes all that is ours. */
export async function destroyAll(aws: AwsConfig, backoff = quickBackoff): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const scope of await openScopes(aws, { backoff, signal: null })) {
    const removal = await planScopeRemoval(aws.name, scope);
    results.push(...(await applyPlan(removal, 1_700_000_000_000, { name: aws.name, backoff, callsAtOnce: 8, signal: null, onResult: () => {} })));
  }
  return results;
}

/** What went otherwise than `done`. */
export function undone(results: readonly StepResult[]): StepResult[] {
  return results.filter(({ outcome }) => outcome !== 'done');
}
