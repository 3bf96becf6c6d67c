/** Plans and their results for people, in the manner of Terraform: what comes, what changes, what goes, and why. */
import { ruleText } from '../aws-rules/filter-rules.ts';
import type { StepResult } from '../aws/apply.ts';
import type { ScopePlan } from '../aws/reconcile.ts';
import type { Verdict } from '../aws/selection.ts';
import type { Step } from '../aws/step.ts';
import { visible } from '../visible.ts';

/** Beyond so many lines of a kind, the rest is counted. */
const linesMax = 100;

export interface PlanTotals {
  create: number;
  change: number;
  remove: number;
}

export function planTotals(plans: readonly ScopePlan[]): PlanTotals {
  const count = (kind: string): number => plans.reduce((sum, { plan }) => sum + plan.steps.filter(({ action }) => action.startsWith(kind)).length, 0);
  return { create: count('create-'), change: count('modify-'), remove: count('delete-') };
}

export function planText(plans: readonly ScopePlan[], color: boolean): string {
  const parts = plans.map((scopePlan) => scopeText(scopePlan, color));
  const { create, change, remove } = planTotals(plans);
  const unchanged = plans.reduce((sum, { plan }) => sum + plan.unchanged, 0);
  const sessions = unchanged === 1 ? '1 session stays as it is' : `${unchanged} sessions stay as they are`;
  const total = create + change + remove === 0 ? `Nothing to do: ${sessions}.` : `Plan: ${create} to create, ${change} to change, ${remove} to remove; ${sessions}.`;
  return `${parts.join('\n')}\n${total}\n`;
}

function scopeText({ scope, plan, verdicts }: ScopePlan, color: boolean): string {
  const lines = [`Account ${scope.account}, region ${scope.region}`, ''];
  lines.push(...limited(plan.steps.map((step) => `  ${painted(step, color)}`), 'steps'));
  if (plan.steps.length > 0) lines.push('');
  for (const problem of plan.problems) lines.push(`  This cannot be done: ${problem}.`);
  for (const note of plan.notes) lines.push(`  Note: ${note}.`);
  lines.push(...verdictLines(verdicts));
  return `${lines.join('\n').trimEnd()}\n`;
}

function verdictLines(verdicts: readonly Verdict[]): string[] {
  const of = (which: Verdict['verdict']): Verdict[] => verdicts.filter(({ verdict }) => verdict === which);
  const list = (title: string, some: readonly Verdict[]): string[] =>
    some.length === 0 ? [] : [`  ${title} (${some.length}):`, ...limited(some.map((verdict) => `    ${whose(verdict)}: ${verdict.reason}`), 'interfaces'), ''];
  const unselected = of('unselected').length;
  return [
    ...list('Mirrored', of('in')),
    ...list('Not mirrored', of('out')),
    ...(unselected === 0 ? [] : [`  ${unselected} other interfaces are meant by no entry of aws.sources.`]),
  ];
}

function whose({ interface: link, instance, name }: Verdict): string {
  return [link, ...(instance === null ? [] : [instance]), ...(name === null ? [] : [visible(name)])].join(' ');
}

function limited(lines: readonly string[], what: string): string[] {
  return lines.length <= linesMax ? [...lines] : [...lines.slice(0, linesMax), `    … and ${lines.length - linesMax} more ${what} (--json lists all)`];
}

const signs = { create: '+', modify: '~', delete: '-' } as const;
const colors = { create: 32, modify: 33, delete: 31 } as const;

function painted(step: Step, color: boolean): string {
  const kind = step.action.split('-', 1)[0] as keyof typeof signs;
  const text = `${signs[kind]} ${stepText(step)}: ${visible(step.reason)}`;
  return color ? `\x1b[${colors[kind]}m${text}\x1b[39m` : text;
}

/** What a step is about. */
export function stepText(step: Step): string {
  switch (step.action) {
    case 'create-filter':
      return 'filter';
    case 'delete-filter':
      return `filter ${step.id}`;
    case 'create-rule':
      return `rule ${ruleText(step.rule)}`;
    case 'modify-rule':
      return `rule ${step.id} ${ruleText(step.rule)}`;
    case 'delete-rule':
      return `rule ${step.id}`;
    case 'modify-network-services':
      return `network services${step.add.length > 0 ? `, with ${step.add.join(', ')}` : ''}${step.remove.length > 0 ? `, without ${step.remove.join(', ')}` : ''}`;
    case 'create-target':
      return `target ${step.resource}`;
    case 'delete-target':
      return `target ${step.id}`;
    case 'create-session':
      return `session on ${step.interface}`;
    case 'modify-session':
    case 'delete-session':
      return `session ${step.id} on ${step.interface}`;
  }
}

/** `3 of 54 [eni-…] done` while a plan is done. */
export function progressText({ step, outcome, id, problem }: StepResult, position: number, total: number): string {
  const what = `${stepText(step)}${id === null ? '' : ` (${id})`}`;
  const verbs = { create: 'created', modify: 'changed', delete: 'removed' } as const;
  const verb = verbs[step.action.split('-', 1)[0] as keyof typeof verbs];
  switch (outcome) {
    case 'done':
      return `${position}/${total} ${verb} ${what}`;
    case 'gone':
      return `${position}/${total} gone meanwhile: ${what}`;
    case 'failed':
    case 'skipped':
      return `${position}/${total} not ${verb}: ${what}: ${problem?.text ?? ''}`;
  }
}
