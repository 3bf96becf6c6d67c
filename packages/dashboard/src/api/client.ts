/** Asks the dashboard's server. Whatever goes wrong is an `ApiError` whose message can be shown. */
import type { ApiProblem } from '../../../doubletake/src/server/api/values.ts';

const timeoutMs = 20_000;

export class ApiError extends Error {
  /** 0 where there was no answer. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** JSON of an answer, which is what the schemas of the server's API say. `signal` gives up early. */
export async function ask<T>(path: string, { method = 'GET', body, signal }: { method?: string; body?: object; signal?: AbortSignal } = {}): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const why = limit.aborted ? `did not answer within ${timeoutMs / 1_000} s` : 'cannot be reached';
    throw new ApiError(0, 'NO_ANSWER', `The dashboard's server ${why}. Is doubletake still running?`);
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? null : JSON.parse(text)) as T;
  const problem = problemOf(text);
  throw new ApiError(response.status, problem?.code ?? 'UNKNOWN', problem?.error ?? `The server answered ${response.status}.`);
}

function problemOf(text: string): ApiProblem | null {
  try {
    const value = JSON.parse(text) as Partial<ApiProblem> | null;
    return typeof value?.error === 'string' ? { error: value.error, code: value.code ?? 'UNKNOWN' } : null;
  } catch {
    return null;
  }
}
