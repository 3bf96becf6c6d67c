/** How much harm a difference can do: what is gone or of another type, before a status, a value, an addition, an order. */
import type { DifferenceKind } from '../difference.ts';
import type { Risk } from '../report.ts';

const weights: Readonly<Record<DifferenceKind, number>> = {
  failure: 9,
  malformed: 8,
  missing: 7,
  type: 7,
  status: 6,
  value: 4,
  length: 4,
  extra: 2,
  order: 1,
};

/** For ranking; larger is worse. `cause` is what is said of it. */
export function weightOf(kind: DifferenceKind, transition: string | null, cause: string): number {
  if (kind === 'status' && /-> 5/.test(transition ?? '')) return 8;
  // A field that should not be there.
  if (kind === 'extra' && cause.includes('should not')) return 7;
  return weights[kind];
}

export function riskOf(weight: number): Risk {
  return weight >= 6 ? 'high' : weight >= 3 ? 'medium' : 'low';
}
