/** Keeps the sessions true until it is stopped: for `aws apply --watch`, and beside a mirror with `aws.watch`. */
import { type AwsConfig, defaultWatch } from '../config/aws-schema.ts';
import { createReporter, type Reporter } from './reporter.ts';

/** Resolves at SIGINT or SIGTERM. */
export async function watchUntilStopped(aws: AwsConfig): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const reporter = createReporter(false);
    await watch(aws, reporter, stopping.signal, (places) => process.stderr.write(`ready aws=${places}\n`));
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Begins to watch; `stop` resolves when it has ended. What goes wrong is warned of, and never more than that. */
export function watchBeside(aws: AwsConfig, reporter: Reporter): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const ended = watch(aws, reporter, stopping.signal, () => {}).catch((error: unknown) => {
    reporter.warning(`the sessions on AWS are not kept true any more: ${error instanceof Error ? error.message : String(error)}`);
  });
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

async function watch(aws: AwsConfig, reporter: Reporter, signal: AbortSignal, ready: (places: string) => void): Promise<void> {
  const { openScopes, usualBackoff } = await import('../aws/clients.ts');
  const { watchFleet } = await import('../aws/watch.ts');
  const scopes = await openScopes(aws);
  ready(scopes.map(({ account, region }) => `${account}/${region}`).join(','));
  await watchFleet(aws, aws.watch ?? defaultWatch(), scopes, {
    backoff: usualBackoff,
    signal,
    now: Date.now,
    notice: (text) => reporter.notice(text),
    warning: (text) => reporter.warning(text),
  });
}
