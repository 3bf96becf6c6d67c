/**
 * Finds out which elements of two sequences belong together, by numbers that stand for them: equal elements have equal
 * numbers. What is equal at both ends is taken as it stands; between, the longest common subsequence by Myers' algorithm
 * (An O(ND) Difference Algorithm and Its Variations, 1986), with a bound on the work.
 */

/** Edits that are looked for; sequences that are further apart are aligned by position. Memory is its square. */
const EDITS_MAX = 400;
/** Steps that all searches of a comparison may take together: some milliseconds. */
const STEPS_MAX = 1_000_000;

/** What is left of the work that a comparison may spend on searching. */
export interface Effort {
  steps: number;
}

export function newEffort(): Effort {
  return { steps: STEPS_MAX };
}

/** Elements that belong together, in order of both. A missing side is -1. */
export type AlignedPair = readonly [baseline: number, candidate: number];

/**
 * Every index of both sides once. Unequal elements that stand between the same equal ones belong together in order, as
 * one element that was changed; what is left over on one side is missing or extra.
 */
export function align(baseline: readonly number[], candidate: readonly number[], effort: Effort): AlignedPair[] {
  // Of several longest subsequences the same one is found whichever side is which.
  if (!isBefore(candidate, baseline)) return aligned(baseline, candidate, effort);
  return aligned(candidate, baseline, effort).map(([i, j]) => [j, i]);
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return a.length < b.length;
  const index = a.findIndex((value, position) => value !== b[position]);
  return index >= 0 && a[index] < b[index];
}

function aligned(baseline: readonly number[], candidate: readonly number[], effort: Effort): AlignedPair[] {
  const pairs: AlignedPair[] = [];
  let nextBaseline = 0;
  let nextCandidate = 0;
  const gapTo = (baselineEnd: number, candidateEnd: number): void => {
    while (nextBaseline < baselineEnd && nextCandidate < candidateEnd) pairs.push([nextBaseline++, nextCandidate++]);
    while (nextBaseline < baselineEnd) pairs.push([nextBaseline++, -1]);
    while (nextCandidate < candidateEnd) pairs.push([-1, nextCandidate++]);
  };
  for (const [i, j] of commonSubsequence(baseline, candidate, effort)) {
    gapTo(i, j);
    pairs.push([nextBaseline++, nextCandidate++]);
  }
  gapTo(baseline.length, candidate.length);
  return pairs;
}

function commonSubsequence(a: readonly number[], b: readonly number[], effort: Effort): AlignedPair[] {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const common: AlignedPair[] = [];
  for (let i = 0; i < head; i++) common.push([i, i]);
  for (const pair of middle(a, b, { start: head, aEnd: a.length - tail, bEnd: b.length - tail }, effort)) common.push(pair);
  for (let i = tail; i > 0; i--) common.push([a.length - i, b.length - i]);
  return common;
}

/** The part of two sequences between their equal ends: `a[start..aEnd)` and `b[start..bEnd)`. */
interface Middle {
  start: number;
  aEnd: number;
  bEnd: number;
}

/** The longest common subsequence of a part; empty when it takes too many edits or too much effort. */
function middle(a: readonly number[], b: readonly number[], part: Middle, effort: Effort): AlignedPair[] {
  const { start, aEnd, bEnd } = part;
  const n = aEnd - start;
  const m = bEnd - start;
  if (n === 0 || m === 0 || !haveCommon(a, b, part)) return [];
  const editsMax = Math.min(n + m, EDITS_MAX);
  const offset = editsMax + 1;
  const furthest = new Int32Array(2 * editsMax + 3);
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= editsMax && effort.steps > 0; edits++) {
    // What the step before reached: 2 * edits + 1 diagonals around the middle are all that is needed.
    trace.push(furthest.slice(offset - edits - 1, offset + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && furthest[offset + k - 1] < furthest[offset + k + 1]);
      let x = down ? furthest[offset + k + 1] : furthest[offset + k - 1] + 1;
      let y = x - k;
      const from = x;
      while (x < n && y < m && a[start + x] === b[start + y]) {
        x++;
        y++;
      }
      effort.steps -= 1 + x - from;
      furthest[offset + k] = x;
      if (x >= n && y >= m) return walkBack(trace, n, m, start);
    }
  }
  return [];
}

function walkBack(trace: readonly Int32Array[], n: number, m: number, start: number): AlignedPair[] {
  const common: AlignedPair[] = [];
  let x = n;
  let y = m;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reached = trace[edits];
    const at = (k: number): number => reached[k + edits + 1];
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const fromK = down ? k + 1 : k - 1;
    const fromX = edits === 0 ? 0 : at(fromK);
    const fromY = edits === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) common.push([start + --x, start + --y]);
    x = fromX;
    y = fromY;
  }
  return common.toReversed();
}

/** Most arrays that differ everywhere have nothing in common: then there is nothing to search. */
function haveCommon(a: readonly number[], b: readonly number[], { start, aEnd, bEnd }: Middle): boolean {
  const values = new Set<number>();
  for (let i = start; i < aEnd; i++) values.add(a[i]);
  for (let i = start; i < bEnd; i++) if (values.has(b[i])) return true;
  return false;
}
