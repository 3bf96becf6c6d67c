/** From a configuration and a scope to a plan, and from a plan to what it made. */
import type { AwsConfig } from '../config/aws-config.ts';
import { applySteps, type ApplyOptions, type StepResult } from './apply.ts';
import { generationAt } from './client-token.ts';
import type { Scope } from './clients.ts';
import { desiredState } from './desired.ts';
import type { Inventory } from './inventory.ts';
import { type Plan, planChanges, planRemoval } from './plan.ts';
import { readInventory } from './read-inventory.ts';
import { readMirrors } from './read-mirrors.ts';
import type { Verdict } from './selection.ts';

/** What there is to do in a region of an account. */
export interface ScopePlan {
  scope: Scope;
  plan: Plan;
  /** Empty for a removal. */
  verdicts: Verdict[];
}

/** Reads what there is, and plans what `aws` wants; with what was read. Rejects with a `DoubletakeError`. */
export async function planScope(aws: AwsConfig, scope: Scope): Promise<ScopePlan & { inventory: Inventory }> {
  const inventory = await readInventory(aws, scope);
  const { desired, verdicts } = desiredState(aws, inventory);
  const reasons = new Map(verdicts.map((verdict) => [verdict.interface, verdict.reason]));
  const plan = planChanges(aws.name, desired, inventory, (id) => reasons.get(id) ?? 'its interface is gone');
  return { scope, plan: { ...plan, notes: [...inventory.health.findings, ...plan.notes] }, verdicts, inventory };
}

/** Plans to remove all that `name` has. Rejects with a `DoubletakeError`. */
export async function planScopeRemoval(name: string, scope: Scope): Promise<ScopePlan> {
  return { scope, plan: planRemoval(name, await readMirrors(scope)), verdicts: [] };
}

/** Does what is planned; `nowMs` is the time since the epoch. */
export function applyPlan({ plan, scope }: ScopePlan, nowMs: number, options: Omit<ApplyOptions, 'generation'>): Promise<StepResult[]> {
  return applySteps(plan.steps, scope, { ...options, generation: generationAt(nowMs) });
}
