/**
 * Does the steps of a plan, in the order of their phases. A step that fails keeps back only what needs it: the rest is
 * done, what failed is told, and the next plan holds what is left. So a run that ends anywhere is repaired by the next.
 */
import { type ApiError, readApiError } from './api-error.ts';
import { explained } from './call-error.ts';
import type { Scope } from './clients.ts';
import { doStep, type Made } from './do-step.ts';
import { readSessions } from './read-mirrors.ts';
import { type Backoff, isPassing, waitMsMax, withRetries } from './retry.ts';
import { type Action, operations, phases, type Step } from './step.ts';

export interface StepResult {
  step: Step;
  /** `gone`: what it is about is not there any more, so that nothing is left to do. */
  outcome: 'done' | 'gone' | 'failed' | 'skipped';
  /** Of what was made. */
  id: string | null;
  /** Why it failed or was skipped, with the code of docs/errors.md; null for what was done. */
  problem: { code: string; text: string } | null;
}

export interface ApplyOptions {
  /** Whose it is. */
  name: string;
  /** See `clientToken`. */
  generation: number;
  backoff: Backoff;
  /** Calls at once, of steps that do not depend on each other. */
  callsAtOnce: number;
  /** When it is aborted, no further step is begun. */
  signal: AbortSignal | null;
  onResult(result: StepResult): void;
}

/** AWS keeps some tens of such calls in store, and adds a few in each second: more at once would but be throttled. */
export const usualCallsAtOnce = 8;

/** The results, in the order in which they came. Never rejects for what AWS answers. */
export async function applySteps(steps: readonly Step[], scope: Scope, options: ApplyOptions): Promise<StepResult[]> {
  const run = new Run(scope, options);
  for (const { actions, atOnce } of phases) {
    await run.phase(steps.filter(({ action }) => actions.includes(action)), atOnce ? options.callsAtOnce : 1);
  }
  await run.confirm();
  return run.results;
}

class Run {
  readonly results: StepResult[] = [];
  readonly #scope: Scope;
  readonly #options: ApplyOptions;
  readonly #made: Made = { filter: null, target: null };
  /** What no step of a kind can do, told by the first that tried; `null` for all kinds. */
  readonly #refused = new Map<Action | null, NonNullable<StepResult['problem']>>();
  #foundationFailed = false;

  constructor(scope: Scope, options: ApplyOptions) {
    this.#scope = scope;
    this.#options = options;
  }

  async phase(steps: readonly Step[], atOnce: number): Promise<void> {
    const waiting = steps.values();
    const worker = async (): Promise<void> => {
      for (const step of waiting) this.#report(await this.#try(step, this.#options.generation));
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, steps.length) }, worker));
  }

  /**
   * Waits until AWS lists the sessions that were made. One that it does not list is made again under another token: the
   * first may have been that of a session that was deleted a moment ago.
   */
  async confirm(): Promise<void> {
    for (const again of [true, false]) {
      if (this.#options.signal?.aborted === true) return;
      const missing = await this.#unlisted();
      for (const result of missing) {
        const next = again ? await this.#try(result.step, this.#options.generation + 1) : null;
        this.results[this.results.indexOf(result)] = next ?? { ...result, outcome: 'failed', problem: notListed };
      }
      if (missing.length === 0) return;
    }
  }

  async #unlisted(): Promise<StepResult[]> {
    const created = this.results.filter(({ step, outcome }) => step.action === 'create-session' && outcome === 'done');
    if (created.length === 0) return [];
    const { signal } = this.#options;
    const backoff = this.#patience;
    for (let attempt = 1, missing = created; ; attempt++) {
      // Where it cannot be read, the next plan will tell.
      const sessions = await readSessions(this.#scope).catch(() => null);
      if (sessions === null) return [];
      const listed = new Set(sessions.map(({ id }) => id));
      missing = missing.filter(({ id }) => id === null || !listed.has(id));
      if (missing.length === 0 || attempt >= backoff.attemptsMax) return missing;
      await backoff.sleep(waitMsMax(backoff, attempt), signal).catch(() => {});
    }
  }

  /** How long AWS is given to list what it made. */
  get #patience(): Backoff {
    const { backoff } = this.#options;
    return { ...backoff, attemptsMax: Math.min(backoff.attemptsMax, listedWithinAttempts) };
  }

  #report(result: StepResult): void {
    this.results.push(result);
    this.#options.onResult(result);
  }

  async #try(step: Step, generation: number): Promise<StepResult> {
    const held = this.#heldBack(step);
    if (held !== null) return { step, outcome: 'skipped', id: null, problem: held };
    const { account, region } = this.#scope;
    const { name, backoff, signal } = this.#options;
    const made = { ...this.#made };
    const call = (tokens: number): Promise<string | null> =>
      withRetries(
        () => this.#scope.callOnce('ec2', (ec2, options) => doStep(step, { name, account, region, made, generation: tokens }, ec2, options)),
        { again: (error) => isPassing(error) || isNotYet(step, error, made), backoff, signal },
      );
    try {
      let id = await call(generation);
      // What sessions need has to be there first; like a session, it may have been that of another life.
      const builds = step.action === 'create-filter' || step.action === 'create-target';
      if (builds && !(await this.#exists(step.action, id ?? ''))) id = await call(generation + 1);
      if (step.action === 'create-filter') this.#made.filter = id;
      if (step.action === 'create-target') this.#made.target = id;
      return { step, outcome: 'done', id, problem: null };
    } catch (error) {
      return this.#failure(step, error);
    }
  }

  /** Waits until AWS knows what it made; false where it does not. */
  async #exists(action: 'create-filter' | 'create-target', id: string): Promise<boolean> {
    const { signal } = this.#options;
    const look = (): Promise<unknown> =>
      this.#scope.callOnce('ec2', (ec2, options) =>
        action === 'create-filter'
          ? ec2.describeTrafficMirrorFilters({ TrafficMirrorFilterIds: [id] }, options)
          : ec2.describeTrafficMirrorTargets({ TrafficMirrorTargetIds: [id] }, options),
      );
    try {
      await withRetries(look, { again: (error) => isPassing(error) || error.kind === 'not-found', backoff: this.#patience, signal });
      return true;
    } catch (error) {
      // Where it cannot be seen, the next step will tell.
      return readApiError(error).kind !== 'not-found';
    }
  }

  #failure(step: Step, error: unknown): StepResult {
    if (this.#options.signal?.aborted === true) return { step, outcome: 'skipped', id: null, problem: interrupted };
    const read = readApiError(error);
    if (isGone(step, read)) return { step, outcome: 'gone', id: null, problem: null };
    const problem = explained(`ec2:${operations[step.action]}`, read);
    // Five thousand sessions that may not be made need no five thousand calls to find out.
    if (read.kind === 'permission') this.#refused.set(step.action, problem);
    if (read.kind === 'credentials') this.#refused.set(null, problem);
    if (foundation.has(step.action)) this.#foundationFailed = true;
    return { step, outcome: 'failed', id: null, problem };
  }

  /** Why a step is not tried; null when it is. */
  #heldBack(step: Step): StepResult['problem'] {
    if (this.#options.signal?.aborted === true) return interrupted;
    const refused = this.#refused.get(null) ?? this.#refused.get(step.action);
    if (refused !== undefined) return refused;
    // A session whose filter is not whole would mirror less than is wanted, and cost as much.
    return onFoundation.has(step.action) && this.#foundationFailed ? { code: 'DT_AWS_INCOMPLETE', text: 'the filter or the target that it needs is not complete' } : null;
  }
}

/** Without these, what sessions need is not complete. */
const foundation: ReadonlySet<Action> = new Set<Action>([
  'create-filter',
  'create-target',
  'create-rule',
  'modify-rule',
  'delete-rule',
  'modify-network-services',
]);
const onFoundation: ReadonlySet<Action> = new Set<Action>(['create-rule', 'modify-network-services', 'create-session', 'modify-session']);

/** With the usual waits, half a minute. */
const listedWithinAttempts = 8;

const interrupted = { code: 'DT_AWS_INCOMPLETE', text: 'it was stopped before' };
const notListed = { code: 'DT_AWS_INCOMPLETE', text: 'AWS said that it made it, but does not list it' };

/** AWS's parts hear of a change one after the other: what was just made, or deleted, is not known as such everywhere. */
function isNotYet(step: Step, { kind, code }: ApiError, made: Made): boolean {
  if (step.action === 'delete-filter' || step.action === 'delete-target') return /InUse/.test(code);
  return kind === 'not-found' && /TrafficMirror(?:Filter|Target)/.test(code) && (made.filter !== null || made.target !== null);
}

function isGone({ action }: Step, { kind, code }: ApiError): boolean {
  if (kind !== 'not-found') return false;
  if (action.startsWith('delete-')) return true;
  if (action === 'modify-session') return /Session/.test(code);
  return action === 'create-session' && /NetworkInterface/.test(code);
}
