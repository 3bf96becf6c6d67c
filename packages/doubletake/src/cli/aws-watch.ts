/** Keeps the sessions true until it is stopped: for `aws apply --watch`, and beside a mirror with `aws.watch`. */
import type { Scope } from '../aws/clients.ts';
import { type AwsConfig, defaultWatch } from '../config/aws-config.ts';
import { DoubletakeError } from '../errors.ts';
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
  const { openScopes, usualBackoff: backoff } = await import('../aws/clients.ts');
  const { watchFleet } = await import('../aws/watch.ts');
  const settings = aws.watch ?? defaultWatch();
  // Credentials, or the way to AWS, may come later than the mirror.
  const open = async (): Promise<Scope[]> => {
    while (!signal.aborted) {
      try {
        return await openScopes(aws, { backoff, signal });
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof DoubletakeError)) throw error;
        reporter.warning(`${error.message} [${error.code}]`);
        await backoff.sleep(settings.everyMs, signal).catch(() => {});
      }
    }
    return [];
  };
  const scopes = await open();
  if (scopes.length === 0) return;
  ready(scopes.map(({ account, region }) => `${account}/${region}`).join(','));
  await watchFleet(aws, settings, scopes, {
    backoff,
    signal,
    now: Date.now,
    notice: (text) => reporter.notice(text),
    warning: (text) => reporter.warning(text),
  });
}
