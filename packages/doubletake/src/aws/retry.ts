/** Calls again what failed for a while: after waits that grow, and that chance spreads so that many callers do not come at once. */
import { type ApiError, readApiError } from './api-error.ts';

export interface Backoff {
  /** Calls in all, with the first. */
  attemptsMax: number;
  /** The first wait is at most this long; each further one at most twice the one before. */
  firstMs: number;
  mostMs: number;
  /** From 0 to below 1. */
  random(): number;
  /** Rejects when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal | null): Promise<void>;
}

/** The most that is waited behind this attempt, counted from 1. */
export function waitMsMax({ firstMs, mostMs }: Backoff, attempt: number): number {
  return Math.min(mostMs, firstMs * 2 ** (attempt - 1));
}

/** Whether a call that failed so may work later. */
export function isPassing({ kind }: ApiError): boolean {
  return kind === 'throttled' || kind === 'transient';
}

/** What `call` resolves with at last; rejects with the last error when it may not be called again, or often enough was. */
export async function withRetries<T>(call: () => Promise<T>, { again = isPassing, backoff, signal = null, waiting }: {
  again?: (error: ApiError) => boolean;
  backoff: Backoff;
  signal?: AbortSignal | null;
  /** Hears why it waits, before each wait. */
  waiting?: (error: ApiError, attempt: number) => void;
}): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      const problem = readApiError(error);
      if (attempt >= backoff.attemptsMax || signal?.aborted === true || !again(problem)) throw error;
      waiting?.(problem, attempt);
      await backoff.sleep(backoff.random() * waitMsMax(backoff, attempt), signal);
    }
  }
}
