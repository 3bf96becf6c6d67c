/** The accounts and regions of a configuration, opened for a command that somebody waits for. */
import type { Scope } from '../aws/clients.ts';
import type { AwsConfig } from '../config/aws-config.ts';

/** A fleet is asked by many calls at once, which are all throttled together. */
const tellEveryMs = 5_000;

/**
 * What `use` makes of the scopes; calls that are still under way or wait to be made again when it has ended end with it,
 * so that a command whose first call failed does not wait for the others. Tells on standard error why it waits. What AWS
 * is asked with is loaded here. Rejects with a `DoubletakeError`.
 */
export async function withAwsScopes<T>(aws: AwsConfig, use: (scopes: readonly Scope[]) => Promise<T>): Promise<T> {
  const { openScopes, usualBackoff } = await import('../aws/clients.ts');
  const ending = new AbortController();
  let toldMs = -tellEveryMs;
  const waiting = (text: string): void => {
    if (performance.now() - toldMs < tellEveryMs) return;
    toldMs = performance.now();
    process.stderr.write(`doubletake: ${text}\n`);
  };
  try {
    return await use(await openScopes(aws, { backoff: usualBackoff, signal: ending.signal, waiting }));
  } finally {
    ending.abort();
  }
}
