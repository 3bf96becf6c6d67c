/** Two texts side by side: which line of one belongs to which of the other. */

/** A row; at least one side has a line. Lines that belong together and are not the same are a change. */
export interface LinePair {
  left: number | null;
  right: number | null;
  same: boolean;
}

/** Beyond so many changed lines the rest is put side by side as it comes. */
const changesMax = 600;

/**
 * `keyOf` is what of a line is compared, `labelOf` what makes two different lines belong together. Myers' algorithm on what
 * is left when equal beginnings and ends are taken off ("An O(ND) Difference Algorithm", 1986).
 */
export function pairedLines(left: readonly string[], right: readonly string[], keyOf: (line: string) => string, labelOf: (line: string) => string): LinePair[] {
  const a = left.map(keyOf);
  const b = right.map(keyOf);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;

  const pairs: LinePair[] = [];
  for (let i = 0; i < head; i++) pairs.push({ left: i, right: i, same: true });
  const same = common(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  let [i, j] = [head, head];
  const upTo = (leftEnd: number, rightEnd: number): void => {
    pairs.push(...changed(left, right, { i, j, leftEnd, rightEnd }, labelOf));
  };
  for (const [x, y] of same) {
    upTo(head + x, head + y);
    pairs.push({ left: head + x, right: head + y, same: true });
    [i, j] = [head + x + 1, head + y + 1];
  }
  upTo(a.length - tail, b.length - tail);
  for (let k = tail; k > 0; k--) pairs.push({ left: a.length - k, right: b.length - k, same: true });
  return pairs;
}

/** Of a stretch in which nothing is the same: lines of the same label stand side by side, in order. */
function changed(
  left: readonly string[],
  right: readonly string[],
  { i, j, leftEnd, rightEnd }: { i: number; j: number; leftEnd: number; rightEnd: number },
  labelOf: (line: string) => string,
): LinePair[] {
  const pairs: LinePair[] = [];
  const labels = right.slice(j, rightEnd).map(labelOf);
  let next = 0;
  for (; i < leftEnd; i++) {
    const found = labels.indexOf(labelOf(left[i] ?? ''), next);
    if (found < 0) {
      pairs.push({ left: i, right: null, same: false });
      continue;
    }
    for (; next < found; next++) pairs.push({ left: null, right: j + next, same: false });
    pairs.push({ left: i, right: j + next, same: false });
    next++;
  }
  for (; next < labels.length; next++) pairs.push({ left: null, right: j + next, same: false });
  return pairs;
}

/** Positions of a longest common subsequence; empty when there are too many changes to look for one. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  const size = Math.min(changesMax, a.length + b.length);
  const middle = size + 1;
  const reach = new Int32Array(2 * middle + 1);
  const trace: Int32Array[] = [];
  for (let changes = 0; changes <= size; changes++) {
    trace.push(reach.slice(middle - changes - 1, middle + changes + 2));
    for (let k = -changes; k <= changes; k += 2) {
      const down = k === -changes || (k !== changes && (reach[middle + k - 1] ?? 0) < (reach[middle + k + 1] ?? 0));
      let x = down ? (reach[middle + k + 1] ?? 0) : (reach[middle + k - 1] ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return backwards(trace, a.length, b.length);
    }
  }
  return [];
}

function backwards(trace: readonly Int32Array[], x: number, y: number): [number, number][] {
  const same: [number, number][] = [];
  for (let changes = trace.length - 1; changes >= 0; changes--) {
    const reach = trace[changes] ?? new Int32Array();
    const at = (k: number): number => reach[k + changes + 1] ?? 0;
    const k = x - y;
    const down = k === -changes || (k !== changes && at(k - 1) < at(k + 1));
    const before = changes === 0 ? 0 : down ? at(k + 1) : at(k - 1);
    const beforeY = changes === 0 ? 0 : before - (down ? k + 1 : k - 1);
    while (x > before && y > beforeY) same.push([--x, --y]);
    [x, y] = [before, beforeY];
  }
  return same.toReversed();
}
