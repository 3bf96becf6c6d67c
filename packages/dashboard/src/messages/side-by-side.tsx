/** Production's and the candidate's body beside each other, with what differs marked. */
import './messages.css';
import { type ReactNode, useMemo, useState } from 'react';
import type { ShownMessage } from '../../../doubletake/src/server/api/clusters.ts';
import { bytes, plural } from '../parts/figures.ts';
import { commonEnds, type ComparisonRow, comparisonRows, grouped, limited, type ShownDifference } from './comparison-rows.ts';

/** Rows that are put into the document without being asked for. */
const rowsMax = 600;

interface SideBySideProps {
  baseline: ShownMessage;
  candidate: ShownMessage;
  differences: readonly ShownDifference[];
  names: readonly [left: string, right: string];
}

export function SideBySide({ baseline, candidate, differences, names }: SideBySideProps): ReactNode {
  const groups = useMemo(() => grouped(comparisonRows(baseline.body, candidate.body, differences)), [baseline, candidate, differences]);
  const [limit, setLimit] = useState(rowsMax);
  if (baseline.body.text === null || candidate.body.text === null) {
    return (
      <div className="two">
        <BodyAlone name={names[0]} message={baseline} />
        <BodyAlone name={names[1]} message={candidate} />
      </div>
    );
  }
  const { shown, total } = limited(groups, limit);
  return (
    <>
      <table className="sides">
        <thead>
          <tr>
            <th scope="col">{names[0]}</th>
            <th scope="col">{names[1]}</th>
          </tr>
        </thead>
        {shown.map((group, index) => ('hidden' in group ? <Hidden key={index} rows={group.hidden} /> : <Rows key={index} rows={group.rows} />))}
      </table>
      {total > limit ? (
        <button type="button" className="more-lines" onClick={() => setLimit(limit + 5 * rowsMax)}>
          … and {plural(total - limit, 'more line')}
        </button>
      ) : null}
      {baseline.body.cut || candidate.body.cut ? (
        <p className="quiet small">
          Cut: {names[0].toLowerCase()} answered {bytes(baseline.body.bytes)}, {names[1].toLowerCase()} {bytes(candidate.body.bytes)}.
        </p>
      ) : null}
    </>
  );
}

function Hidden({ rows }: { rows: ComparisonRow[] }): ReactNode {
  const [open, setOpen] = useState(false);
  if (open) return <Rows rows={rows} />;
  return (
    <tbody>
      <tr>
        <td colSpan={2} className="sides-hidden">
          <button type="button" onClick={() => setOpen(true)}>
            {plural(rows.length, 'equal line')}
          </button>
        </td>
      </tr>
    </tbody>
  );
}

const signs = { counts: '≠', other: '≈' } as const;
const said = { counts: 'differs: ', other: 'differs, but does not count: ' } as const;

function Rows({ rows }: { rows: readonly ComparisonRow[] }): ReactNode {
  return (
    <tbody>
      {rows.map(({ left, right, meaning }, index) => {
        const ends = left === null || right === null || meaning === 'same' ? null : commonEnds(left, right);
        return (
          <tr key={index} className={`is-${meaning}`}>
            <td className={left === null ? 'absent' : undefined}>
              {meaning === 'same' || left === null ? null : <Sign meaning={meaning} />}
              <Line text={left} ends={ends} />
            </td>
            <td className={right === null ? 'absent' : undefined}>
              {meaning === 'same' || right === null ? null : <Sign meaning={meaning} />}
              <Line text={right} ends={ends} />
            </td>
          </tr>
        );
      })}
    </tbody>
  );
}

function Sign({ meaning }: { meaning: 'counts' | 'other' }): ReactNode {
  return (
    <>
      <span className="sign" aria-hidden="true">
        {signs[meaning]}
      </span>
      <span className="unseen">{said[meaning]}</span>
    </>
  );
}

function Line({ text, ends }: { text: string | null; ends: { head: number; tail: number } | null }): ReactNode {
  if (text === null) return <span className="unseen">nothing</span>;
  if (ends === null || ends.head + ends.tail === 0) return <code>{text}</code>;
  return (
    <code>
      {text.slice(0, ends.head)}
      <mark>{text.slice(ends.head, text.length - ends.tail)}</mark>
      {text.slice(text.length - ends.tail)}
    </code>
  );
}

/** A body that has nothing beside it. */
export function BodyAlone({ name, message: { body } }: { name: string; message: ShownMessage }): ReactNode {
  return (
    <div className="alone">
      <h4>{name}</h4>
      {body.text === null ? (
        <p className="quiet">{body.bytes === 0 ? 'No body.' : `${bytes(body.bytes)} that are no text.`}</p>
      ) : body.text === '' ? (
        <p className="quiet">No body.</p>
      ) : (
        <pre tabIndex={0}>{body.text}</pre>
      )}
      {body.cut ? <p className="quiet small">Cut: {bytes(body.bytes)} in all.</p> : null}
    </div>
  );
}
