import './messages.css';
import type { ReactNode } from 'react';
import type { ShownMessage } from '../../../doubletake/src/server/api/clusters.ts';
import type { ShownDifference } from './comparison-rows.ts';

type Headers = ShownMessage['headers'];

interface HeaderRow {
  name: string;
  left: string | null;
  right: string | null;
  meaning: 'same' | 'counts' | 'other';
}

/** Fields of the same name side by side, in production's order; what only the candidate has comes last. */
export function headerRows(left: Headers, right: Headers, differences: readonly ShownDifference[]): HeaderRow[] {
  const paths = new Set(differences.map(({ path }) => path.split(';', 1)[0]));
  const counts = (name: string, values: readonly (string | null)[]): boolean =>
    paths.has(`header:${name}`) || (name === 'set-cookie' && values.some((value) => value !== null && paths.has(`cookie:${value.split('=', 1)[0]?.trim()}`)));
  const unpaired = right.map(([name, value]) => ({ name: name.toLowerCase(), value }));
  const rows: Omit<HeaderRow, 'meaning'>[] = left.map(([name, value]) => {
    const lower = name.toLowerCase();
    const cookie = value.split('=', 1)[0];
    const at = unpaired.findIndex((other) => other.name === lower && (lower !== 'set-cookie' || other.value.split('=', 1)[0] === cookie));
    const other = at < 0 ? null : (unpaired.splice(at, 1)[0]?.value ?? null);
    return { name: lower, left: value, right: other };
  });
  rows.push(...unpaired.map(({ name, value }) => ({ name, left: null, right: value })));
  return rows.map((row) => ({
    ...row,
    meaning: counts(row.name, [row.left, row.right]) ? 'counts' : row.left === row.right ? 'same' : 'other',
  }));
}

interface HeaderTableProps {
  baseline: ShownMessage | null;
  candidate: ShownMessage | null;
  differences: readonly ShownDifference[];
  names: readonly [left: string, right: string];
}

const said = { same: '', counts: 'differs', other: 'does not count' } as const;

export function HeaderTable({ baseline, candidate, differences, names }: HeaderTableProps): ReactNode {
  const rows = headerRows(baseline?.headers ?? [], candidate?.headers ?? [], differences);
  if (rows.length === 0) return <p className="quiet">No headers.</p>;
  return (
    <table className="sides header-table">
      <thead>
        <tr>
          <th scope="col">Header</th>
          <th scope="col">{names[0]}</th>
          <th scope="col">{names[1]}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, left, right, meaning }, index) => (
          <tr key={index} className={`is-${meaning}`}>
            <th scope="row">
              <code>{name}</code> {meaning === 'same' ? null : <span className="small">{said[meaning]}</span>}
            </th>
            <td data-label={names[0]}>{left === null ? <span className="quiet">not there</span> : <code>{left}</code>}</td>
            <td data-label={names[1]}>{right === null ? <span className="quiet">not there</span> : <code>{right}</code>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
