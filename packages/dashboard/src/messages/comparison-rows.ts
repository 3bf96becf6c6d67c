/** Two bodies as rows of lines side by side, each with what its difference means. */
import type { ShownMessage, ShownPair } from '../../../doubletake/src/server/api/clusters.ts';
import { JsonLines } from './json-lines.ts';
import { pairedLines } from './line-diff.ts';

export interface ComparisonRow {
  left: string | null;
  right: string | null;
  /** `counts`: a difference; `other`: they are not the same, but by noise or rule it does not count. */
  meaning: 'same' | 'counts' | 'other';
}

export type ShownDifference = ShownPair['differences'][number];
type Body = ShownMessage['body'];

/** `differences` are those that count. */
export function comparisonRows(left: Body, right: Body, differences: readonly ShownDifference[]): ComparisonRow[] {
  const json = left.language === 'json' && right.language === 'json';
  const sides = [left, right].map(({ text }) => new JsonLines(text ?? ''));
  const [a, b] = sides as [JsonLines, JsonLines];
  const keyOf = json ? (line: string): string => line.replace(/,$/, '') : (line: string): string => line;
  const labelOf = json ? (line: string): string => /^\s*"(?:[^"\\]|\\.)*":|^\s*/.exec(line)?.[0] ?? '' : (): string => '';
  const marked = json ? sides.map((side) => markedLines(side, differences)) : null;
  const elsewhere = differences.filter(({ path }) => /^(?:status$|failure$|header:|cookie:)/.test(path)).length === differences.length;
  return pairedLines(a.lines, b.lines, keyOf, labelOf).map(({ left: i, right: j, same }) => {
    const counts = marked === null ? !elsewhere : marked[0].has(i ?? -1) || marked[1].has(j ?? -1);
    return {
      left: i === null ? null : (a.lines[i] ?? ''),
      right: j === null ? null : (b.lines[j] ?? ''),
      meaning: same ? 'same' : counts ? 'counts' : 'other',
    };
  });
}

function markedLines(json: JsonLines, differences: readonly ShownDifference[]): Set<number> {
  const marked = new Set<number>();
  for (const { place } of differences) {
    const found = json.at(place);
    for (let line = found?.first ?? 0; line <= (found?.last ?? -1); line++) marked.add(line);
  }
  return marked;
}

export type RowGroup = { rows: ComparisonRow[] } | { hidden: ComparisonRow[] };

const around = 3;

/** Long stretches in which nothing differs are put away, but for some lines around what does. */
export function grouped(rows: readonly ComparisonRow[]): RowGroup[] {
  const near = new Set<number>();
  rows.forEach(({ meaning }, index) => {
    if (meaning !== 'same') for (let i = index - around; i <= index + around; i++) near.add(i);
  });
  // Where nothing differs at all the beginning is shown.
  if (near.size === 0) for (let i = 0; i < 4 * around; i++) near.add(i);
  const groups: RowGroup[] = [];
  for (let i = 0; i < rows.length; ) {
    const shown = near.has(i);
    let end = i;
    while (end < rows.length && near.has(end) === shown) end++;
    const part = rows.slice(i, end);
    groups.push(shown || part.length <= around ? { rows: part } : { hidden: part });
    i = end;
  }
  return groups;
}

/** The first `rowsMax` rows that are not put away, and how many there are of these in all. */
export function limited(groups: readonly RowGroup[], rowsMax: number): { shown: RowGroup[]; total: number } {
  const shown: RowGroup[] = [];
  let total = 0;
  for (const group of groups) {
    if (total < rowsMax) shown.push('rows' in group ? { rows: group.rows.slice(0, rowsMax - total) } : group);
    if ('rows' in group) total += group.rows.length;
  }
  return { shown, total };
}

/** What two lines have in common at their beginning and end, in characters. */
export function commonEnds(a: string, b: string): { head: number; tail: number } {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return { head, tail };
}
