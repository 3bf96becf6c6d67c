import './counts.css';
import type { ReactNode } from 'react';
import type { CountTree } from '../../../doubletake/src/server/api/values.ts';
import { count } from './figures.ts';

/** Counts by name that are not 0, the most first; those in a tree by their whole name. */
export function countsOf(tree: CountTree, before = ''): [name: string, number: number][] {
  return Object.entries(tree)
    .flatMap(([name, value]): [string, number][] => {
      const whole = before === '' ? name : `${before}, ${name}`;
      if (typeof value !== 'number') return countsOf(value, whole);
      return value > 0 ? [[whole, value]] : [];
    })
    .toSorted(([, a], [, b]) => b - a);
}

/** `none` is said where there is nothing to count. */
export function Counts({ tree, none = 'none' }: { tree: CountTree; none?: string }): ReactNode {
  const counts = countsOf(tree);
  if (counts.length === 0) return <p className="quiet small">{none}</p>;
  return (
    <dl className="counts">
      {counts.map(([name, number]) => (
        <div key={name}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>{count(number)}</dd>
        </div>
      ))}
    </dl>
  );
}
