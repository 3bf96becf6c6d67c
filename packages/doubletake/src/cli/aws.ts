/** `doubletake aws`: traffic mirroring on AWS as the configuration says: planned, made, watched, and removed. */
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import type { StepResult } from '../aws/apply.ts';
import type { Scope } from '../aws/clients.ts';
import type { ScopePlan } from '../aws/reconcile.ts';
import type { AwsConfig } from '../config/aws-config.ts';
import { DoubletakeError } from '../errors.ts';
import { readAws } from './aws-config.ts';
import { awsCostCommand } from './aws-cost.ts';
import { withAwsScopes } from './aws-scopes.ts';
import { awsStatusCommand } from './aws-status.ts';
import { planText, planTotals, progressText } from './aws-text.ts';
import { watchUntilStopped } from './aws-watch.ts';
import { ExitCode } from './exit-code.ts';
import { hasColor } from './terminal.ts';

export function awsCommand(): Command {
  const file = ['<CONFIG>', 'configuration file with `aws:` (docs/aws.md)'] as const;
  return new Command('aws')
    .summary('make AWS mirror a fleet\'s traffic, and keep it so')
    .description('Makes and keeps the traffic mirror sessions, the filter and the target that `aws:` in a configuration describes.')
    .addCommand(
      new Command('plan')
        .summary('show what would be created, changed and removed, and why; changes nothing')
        .argument(...file)
        .option('--exit-code', 'end with exit code 1 where there is something to do')
        .option('--json', 'as one JSON object, with every interface and why it is in or out')
        .action((config: string, flags: { exitCode?: boolean; json?: boolean }) => showPlan(config, flags)),
    )
    .addCommand(
      new Command('apply')
        .summary('do it; what failed is done by the next apply')
        .argument(...file)
        .option('--yes', 'do not ask first')
        .option('--watch', 'go on until stopped: follow instances as they come, go and change')
        .option('--json', 'one JSON object a line: the plan, each step, the end')
        .action((config: string, flags: ApplyFlags) => apply(config, flags)),
    )
    .addCommand(awsStatusCommand(file))
    .addCommand(
      new Command('destroy')
        .summary('remove everything that has our tag, and nothing else')
        .argument(...file)
        .option('--yes', 'do not ask first')
        .option('--json', 'one JSON object a line: the plan, each step, the end')
        .action((config: string, flags: ApplyFlags) => destroy(config, flags)),
    )
    .addCommand(awsCostCommand())
    .addCommand(
      new Command('policy')
        .summary('print the IAM policy that these commands need, and no more')
        .argument(...file)
        .action((config: string) => showPolicy(config)),
    );
}

interface ApplyFlags {
  yes?: boolean;
  watch?: boolean;
  json?: boolean;
}

async function showPlan(file: string, { exitCode, json }: { exitCode?: boolean; json?: boolean }): Promise<void> {
  const aws = readAws(file);
  const plans = await withAwsScopes(aws, (scopes) => planScopes(aws, scopes));
  const { create, change, remove } = planTotals(plans);
  // Set first: a reader that goes away does not change it.
  if (exitCode === true && create + change + remove > 0) process.exitCode = ExitCode.regression;
  process.stdout.write(json === true ? `${JSON.stringify(planJson(plans))}\n` : planText(plans, hasColor()));
}

async function apply(file: string, flags: ApplyFlags): Promise<void> {
  const aws = readAws(file);
  await withAwsScopes(aws, async (scopes) => {
    const plans = await planScopes(aws, scopes);
    const interruption = new AbortController();
    try {
      await carryOut(aws, plans, { ...flags, question: 'Make these changes?', interruption });
    } catch (error) {
      // Who watches tries again anyway.
      const passes = error instanceof DoubletakeError && error.code !== 'DT_USAGE' && !interruption.signal.aborted;
      if (flags.watch !== true || !passes) throw error;
      process.stderr.write(`doubletake: warning: ${error.message} [${error.code}]\n`);
    }
  });
  if (flags.watch === true) await watchUntilStopped(aws);
}

async function destroy(file: string, flags: ApplyFlags): Promise<void> {
  const aws = readAws(file);
  const { planScopeRemoval } = await import('../aws/reconcile.ts');
  await withAwsScopes(aws, async (scopes) => {
    const plans = await Promise.all(scopes.map((scope) => planScopeRemoval(aws.name, scope)));
    await carryOut(aws, plans, { ...flags, question: 'Remove all of this?', interruption: new AbortController() });
  });
}

async function showPolicy(file: string): Promise<void> {
  const { name, watch, accounts, regions } = readAws(file);
  const { partitionOf, wholePolicy } = await import('../aws/permissions.ts');
  const partition = partitionOf(regions[0] ?? process.env['AWS_REGION']);
  const queue = watch?.queueUrl ?? null;
  const policy = wholePolicy({ name, partition, queueArn: queue === null ? null : queueArn(partition, queue), roles: accounts.map(({ role }) => role) });
  process.stdout.write(`${JSON.stringify(policy, null, 2)}\n`);
}

/** https://sqs.REGION.amazonaws.com/ACCOUNT/NAME */
function queueArn(partition: string, url: string): string {
  const { hostname, pathname } = new URL(url);
  const [account = '*', name = '*'] = pathname.split('/').filter((part) => part !== '');
  return `arn:${partition}:sqs:${/^sqs\.([a-z0-9-]+)\./.exec(hostname)?.[1] ?? '*'}:${account}:${name}`;
}

async function planScopes(aws: AwsConfig, scopes: readonly Scope[]): Promise<ScopePlan[]> {
  const { planScope } = await import('../aws/reconcile.ts');
  return Promise.all(scopes.map((scope) => planScope(aws, scope)));
}

interface CarryOut extends ApplyFlags {
  question: string;
  /** Aborted by Ctrl-C. */
  interruption: AbortController;
}

/** Shows the plan, asks, and does it. Rejects with a `DoubletakeError` when something is left undone. */
async function carryOut(aws: AwsConfig, plans: readonly ScopePlan[], { yes, json, question, interruption }: CarryOut): Promise<void> {
  const total = plans.reduce((sum, { plan: { steps } }) => sum + steps.length, 0);
  if (json === true) print({ event: 'plan', ...planJson(plans) });
  else process.stdout.write(planText(plans, hasColor()));
  const problems = plans.flatMap(({ plan: { problems: found } }) => found);
  if (problems.length > 0) throw new DoubletakeError('DT_AWS_INCOMPLETE', problems.join('; '));
  if (total > 0 && yes !== true) await confirm(question, json === true);
  const results = total === 0 ? [] : await doSteps(aws, plans, { total, json: json === true, interruption });
  const count = (outcome: StepResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  const [done, failed, skipped] = [count('done') + count('gone'), count('failed'), count('skipped')];
  if (json === true) print({ event: 'end', done, failed, skipped });
  if (failed + skipped === 0) {
    if (json !== true && total > 0) process.stdout.write(`Done: ${done} of ${total} steps.\n`);
    return;
  }
  const reasons = [...new Map(results.flatMap(({ problem }) => (problem === null ? [] : [[problem.text, problem]]))).values()];
  const [only] = reasons;
  const code = reasons.length === 1 && only !== undefined ? only.code : 'DT_AWS_INCOMPLETE';
  const shown = reasons.slice(0, reasonsMax).map(({ text }) => text).join('; ');
  const more = reasons.length > reasonsMax ? ' …' : '';
  throw new DoubletakeError(code, `${failed + skipped} of ${total} steps were not done, and the next apply tries them again: ${shown}${more}`);
}

const reasonsMax = 5;

/** Does the plans one after the other; Ctrl-C lets the calls under way end, and begins no more. */
async function doSteps(
  aws: AwsConfig,
  plans: readonly ScopePlan[],
  { total, json, interruption }: { total: number; json: boolean; interruption: AbortController },
): Promise<StepResult[]> {
  const { usualBackoff } = await import('../aws/clients.ts');
  const { applyPlan } = await import('../aws/reconcile.ts');
  const { usualCallsAtOnce } = await import('../aws/apply.ts');
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const results: StepResult[] = [];
  let position = 0;
  try {
    for (const plan of plans) {
      const { account, region } = plan.scope;
      const onResult = (result: StepResult): void => {
        position++;
        const { step, outcome, id, problem } = result;
        if (json) print({ event: 'step', account, region, ...step, id: id ?? ('id' in step ? step.id : null), outcome, problem });
        else process.stderr.write(`${progressText(result, position, total)}\n`);
      };
      const options = { name: aws.name, backoff: usualBackoff, callsAtOnce: usualCallsAtOnce, signal: interruption.signal, onResult };
      results.push(...(await applyPlan(plan, Date.now(), options)));
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  return results;
}

async function confirm(question: string, json: boolean): Promise<void> {
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) throw new DoubletakeError('DT_USAGE', 'nobody is there to be asked: give --yes to do this');
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and Ctrl-D close it.
  const closed = new AbortController();
  lines.once('close', () => closed.abort());
  const answer = await lines.question(`\n${question} Only \`yes\` is taken for a yes: `, { signal: closed.signal }).catch(() => '');
  lines.close();
  if (answer.trim() !== 'yes') throw new DoubletakeError('DT_USAGE', 'nothing was changed');
}

function planJson(plans: readonly ScopePlan[]): object {
  const scopes = plans.map(({ scope: { account, region }, plan: { steps, unchanged, notes, problems }, verdicts }) => ({
    account,
    region,
    steps,
    unchanged,
    notes,
    problems,
    interfaces: verdicts,
  }));
  return { ...planTotals(plans), scopes };
}

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
