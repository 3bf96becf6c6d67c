import { expect, test } from 'vitest';
import { readApiError } from './api-error.ts';
import { callError } from './call-error.ts';
import { type Backoff, withRetries } from './retry.ts';

const failure = (settings: object, message = 'x'): Error => Object.assign(new Error(message), settings);

test.each<[object, string]>([
  [{ name: 'RequestLimitExceeded' }, 'throttled'],
  [{ name: 'ThrottlingException' }, 'throttled'],
  [{ name: 'Whatever', $metadata: { httpStatusCode: 429 } }, 'throttled'],
  [{ name: 'InternalError' }, 'transient'],
  [{ name: 'Whatever', $metadata: { httpStatusCode: 503 } }, 'transient'],
  [{ name: 'Error', code: 'ECONNRESET' }, 'transient'],
  [{ name: 'TimeoutError' }, 'transient'],
  [{ name: 'RequestTimeTooSkewed' }, 'transient'],
  [{ name: 'UnauthorizedOperation', $metadata: { httpStatusCode: 403 } }, 'permission'],
  [{ name: 'AccessDeniedException' }, 'permission'],
  [{ name: 'ExpiredToken' }, 'credentials'],
  [{ name: 'CredentialsProviderError' }, 'credentials'],
  [{ name: 'InvalidTrafficMirrorFilterId.NotFound' }, 'not-found'],
  [{ name: 'LoadBalancerNotFoundException', Code: 'LoadBalancerNotFound' }, 'not-found'],
  [{ name: 'Error', code: 'ENOTFOUND' }, 'unreachable'],
  [{ name: 'InvalidParameterValue' }, 'refused'],
])('%j is %s', (settings, kind) => {
  expect(readApiError(failure(settings)).kind).toBe(kind);
});

test('what is no error of AWS at all is refused, and said', () => {
  expect(readApiError('strange')).toMatchObject({ kind: 'refused', message: 'strange' });
  expect(callError('ec2:X', new TypeError('broken')).message).toBe('ec2:X was refused (TypeError): broken');
});

test('a message is one line without keys and encoded messages, and not long', () => {
  const error = failure({ name: 'InvalidParameterValue' }, `one\ntwo AKIAABCDEFGHIJKLMNOP \u001b[31m Encoded authorization failure message: ${'A'.repeat(300)} ${'long '.repeat(200)}`);
  const { message } = readApiError(error);
  expect(message).toMatch(/^one two \(an access key\) \\x1b\[31m long /);
  expect(message.length).toBeLessThan(410);
});

test('waits grow to the most there is, and chance takes its part of each', async () => {
  const waits: number[] = [];
  const backoff: Backoff = { attemptsMax: 6, firstMs: 100, mostMs: 500, random: () => 0.5, sleep: (ms) => Promise.resolve(void waits.push(ms)) };
  let calls = 0;
  const call = (): Promise<never> => {
    calls++;
    return Promise.reject(failure({ name: 'RequestLimitExceeded' }));
  };
  await expect(withRetries(call, { backoff })).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
  expect({ calls, waits }).toEqual({ calls: 6, waits: [50, 100, 200, 250, 250] });
});

test('what will not pass is not tried again, nor anything once it was interrupted', async () => {
  const backoff: Backoff = { attemptsMax: 6, firstMs: 1, mostMs: 1, random: () => 0, sleep: () => Promise.resolve() };
  let calls = 0;
  const refuse = (name: string, then = (): void => {}) => (): Promise<never> => {
    calls++;
    then();
    return Promise.reject(failure({ name }));
  };
  await expect(withRetries(refuse('InvalidParameterValue'), { backoff })).rejects.toThrow('x');
  const interruption = new AbortController();
  await expect(withRetries(refuse('InternalError', () => interruption.abort()), { backoff, signal: interruption.signal })).rejects.toThrow('x');
  await expect(withRetries(refuse('InternalError'), { backoff, signal: interruption.signal })).rejects.toThrow('aborted');
  expect(calls).toBe(2);
});
