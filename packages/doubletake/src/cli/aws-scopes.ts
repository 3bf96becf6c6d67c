/** The accounts and regions of a configuration, opened for a command that somebody waits for. */
import type { Scope } from '../aws/clients.ts';
import type { AwsConfig } from '../config/aws-config.ts';

/** A fleet is asked by many calls at once, which are all throttled together. */
const tellEveryMs = 5_000;

/** What AWS is asked with is loaded here. Tells on standard error why it waits. Rejects with a `DoubletakeError`. */
export async function openAwsScopes(aws: AwsConfig): Promise<Scope[]> {
  const { openScopes, usualBackoff } = await import('../aws/clients.ts');
  let toldMs = -tellEveryMs;
  const waiting = (text: string): void => {
    if (performance.now() - toldMs < tellEveryMs) return;
    toldMs = performance.now();
    process.stderr.write(`doubletake: ${text}\n`);
  };
  return openScopes(aws, { backoff: usualBackoff, signal: null, waiting });
}
