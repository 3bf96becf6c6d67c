import { expect, test } from 'vitest';
import type { Answer, Pair } from '../pair.ts';
import { StateEvidence } from './state-evidence.ts';

const endpoint = 'GET /users/{id}';

function pairOf(target: string, baseline: number, candidate: number): Pair {
  const answer = (status: number): Answer => ({
    status, failure: null, headers: [], body: null, bodyBytes: 0, bodySha256: null, firstByteMs: 1, totalMs: 1,
  });
  return {
    kind: 'candidate', id: 'x', timeUs: 0, session: 's', method: 'GET', host: 'h', target, request: Buffer.alloc(0), probability: 1,
    baseline: answer(baseline), candidate: answer(candidate),
  };
}

function evidenceOf(...seen: [target: string, baseline: number, candidate: number][]): StateEvidence {
  const evidence = new StateEvidence();
  for (let id = 1; id <= 5; id++) evidence.note(endpoint, pairOf(`/users/${id}?a=${id}`, 200, 200));
  for (const [target, baseline, candidate] of seen) evidence.note(endpoint, pairOf(target, baseline, candidate));
  return evidence;
}

const reasons = (evidence: StateEvidence, name = endpoint): (string | null)[] => [evidence.reason(name, 'candidate'), evidence.reason(name, 'baseline')];

test('things that one side lacks each time, while others are found, are other data', () => {
  expect(reasons(evidenceOf(['/users/9', 200, 404], ['/users/9?again', 200, 404], ['/users/8', 200, 410]))).toEqual([
    'other data: the candidate lacks 2 things, each time that it is asked for, and has 5 others',
    null,
  ]);
  expect(reasons(evidenceOf(['/users/9', 404, 200]))).toEqual([
    null,
    'other data: the baseline lacks one thing, each time that it is asked for, and has 5 others',
  ]);
});

test('a thing that now is found and now is not, or of which none is found, is the code', () => {
  expect(reasons(evidenceOf())).toEqual([null, null]);
  expect(reasons(evidenceOf(['/users/1', 200, 404]))).toEqual([null, null]);
  expect(reasons(evidenceOf(['/users/9', 200, 500]))).toEqual([null, null]);
  const few = new StateEvidence();
  few.note(endpoint, pairOf('/users/1', 200, 404));
  expect(reasons(few)).toEqual([null, null]);
  const single = new StateEvidence();
  for (let id = 0; id < 9; id++) single.note('GET /users', pairOf(`/users?id=${id}`, 200, id === 0 ? 404 : 200));
  expect(reasons(single, 'GET /users')).toEqual([null, null]);
});

test('endpoints that have become one have one evidence', () => {
  const evidence = evidenceOf();
  evidence.note('GET /users/{slug}', pairOf('/users/me', 200, 404));
  evidence.rename(() => endpoint);
  expect(evidence.reason(endpoint, 'candidate')).toContain('one thing');
});
