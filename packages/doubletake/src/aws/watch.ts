/**
 * Keeps sessions true while instances come, go and change: again and again what there is is read, and what differs is
 * done. Events make it sooner and are not needed: one that is lost costs a round's time, and no session.
 */
import type { AwsConfig, WatchConfig } from '../config/aws-config.ts';
import { DoubletakeError } from '../errors.ts';
import { usualCallsAtOnce } from './apply.ts';
import type { Scope } from './clients.ts';
import { applyPlan, planScope } from './reconcile.ts';
import type { Backoff } from './retry.ts';

export interface WatchOptions {
  backoff: Backoff;
  /** Ends it. */
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now: () => number;
  notice: (text: string) => void;
  warning: (text: string) => void;
  /** A round is over, for `steps` steps in all. */
  onRound?: (steps: number) => void;
}

/** What may come at once is waited for this long behind the first event. */
const settleMs = 2_000;
/** The most that SQS waits, and hands out, in one call. */
const receiveSeconds = 20;
const messagesMax = 10;
/** Events that come faster than they are taken off do not put off a round for ever. */
const batchesMax = 100;

/**
 * Resolves when `signal` is aborted, which has to end the calls of the scopes, too; never rejects for what AWS answers.
 */
export async function watchFleet(aws: AwsConfig, { everyMs, queueUrl }: WatchConfig, scopes: readonly Scope[], options: WatchOptions): Promise<void> {
  const watch = new Watch(aws, options);
  const [first] = scopes;
  while (!options.signal.aborted) {
    let steps = 0;
    for (const scope of scopes) steps += await watch.round(scope);
    options.onRound?.(steps);
    const until = options.now() + everyMs;
    if (queueUrl === null || first === undefined) await watch.sleep(everyMs);
    else await watch.event(queueUrl, first, until);
  }
}

class Watch {
  readonly #aws: AwsConfig;
  readonly #options: WatchOptions;
  /** What was warned of in a scope last: it is told once, not in every round. */
  readonly #warned = new Map<Scope | string, string>();

  constructor(aws: AwsConfig, options: WatchOptions) {
    this.#aws = aws;
    this.#options = options;
  }

  /** Returns the number of steps that were tried. */
  async round(scope: Scope): Promise<number> {
    const { signal, backoff, notice } = this.#options;
    if (signal.aborted) return 0;
    const where = `${scope.account}/${scope.region}`;
    try {
      const planned = await planScope(this.#aws, scope);
      const { steps, problems } = planned.plan;
      const results = await applyPlan(planned, this.#options.now(), { name: this.#aws.name, backoff, callsAtOnce: usualCallsAtOnce, signal, onResult: () => {} });
      const failed = results.filter(({ outcome }) => outcome === 'failed');
      const done = results.filter(({ outcome }) => outcome === 'done' || outcome === 'gone').length;
      for (const { step } of results.filter(({ outcome }) => outcome === 'done')) {
        if ('interface' in step) notice(`${where}: ${step.action} on ${step.interface}: ${step.reason}`);
      }
      const wrong = [...problems, ...new Set(failed.flatMap(({ problem }) => problem?.text ?? []))];
      this.#warn(scope, wrong.length === 0 ? '' : `${where}: ${done} of ${steps.length} steps done; ${wrong.join('; ')}`);
      return steps.length;
    } catch (error) {
      if (signal.aborted) return 0;
      if (!(error instanceof DoubletakeError)) throw error;
      this.#warn(scope, `${where}: ${error.message} [${error.code}]`);
      return 0;
    }
  }

  /** Waits for an event in the queue, or `until` (milliseconds since the epoch). */
  async event(queueUrl: string, scope: Scope, until: number): Promise<void> {
    const { signal, now } = this.#options;
    try {
      while (!signal.aborted && now() < until) {
        if (!(await this.#receive(queueUrl, scope, Math.ceil((until - now()) / 1_000)))) continue;
        await this.sleep(Math.min(settleMs, until - now()));
        for (let taken = 0; taken < batchesMax && !signal.aborted && (await this.#receive(queueUrl, scope, 0)); taken++);
        break;
      }
      this.#warn(queueUrl, '');
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof DoubletakeError)) throw error;
      this.#warn(queueUrl, `no events come from ${queueUrl}: ${error.message} [${error.code}]`);
      await this.sleep(Math.max(0, until - now()));
    }
  }

  /** Waits at most so many seconds for messages, and takes them off; whether there were any. What they say is not needed. */
  async #receive(QueueUrl: string, scope: Scope, seconds: number): Promise<boolean> {
    const WaitTimeSeconds = Math.min(receiveSeconds, seconds);
    const { Messages: messages = [] } = await scope.call('sqs', 'ReceiveMessage', (sqs, options) =>
      sqs.receiveMessage({ QueueUrl, WaitTimeSeconds, MaxNumberOfMessages: messagesMax }, options),
    );
    if (messages.length === 0) return false;
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await scope.call('sqs', 'DeleteMessageBatch', (sqs, options) => sqs.deleteMessageBatch({ QueueUrl, Entries }, options));
    return true;
  }

  /** Ends early, without an error, when the watch ends. */
  async sleep(ms: number): Promise<void> {
    const { backoff, signal } = this.#options;
    await backoff.sleep(ms, signal).catch(() => {});
  }

  #warn(about: Scope | string, text: string): void {
    if ((this.#warned.get(about) ?? '') === text) return;
    this.#warned.set(about, text);
    if (text !== '') this.#options.warning(text);
  }
}
