import { Fragment, type ReactNode } from 'react';
import type { Overview } from '../../../doubletake/src/server/api/overview.ts';
import { addressOf } from '../navigation/address.ts';
import { Link } from '../navigation/link.tsx';
import { count, duration, intervalText, percent, plural } from '../parts/figures.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Time } from '../parts/time.tsx';
import { meaning, policyText } from '../../../doubletake/src/compare/report-text/wording.ts';

type Comparison = NonNullable<Overview['comparison']>;

const icons: Readonly<Record<Comparison['verdict'], IconName>> = { SAFE: 'check', REGRESSION: 'alert', INSUFFICIENT: 'question' };
const reasonsShownMax = 6;

/** The verdict in words, with its reason. */
export function Verdict({ overview: { comparison, mode, startedAt, time } }: { overview: Overview }): ReactNode {
  if (comparison === null) {
    return (
      <section className="verdict none" aria-label="Verdict">
        <h2>Nothing is compared</h2>
        <p>
          Requests are replayed, and nobody looks at the answers. Start the mirror with <code>--run DIR</code> to have both
          versions' answers compared, and a verdict.
        </p>
      </section>
    );
  }
  const { verdict, policy, reasons, pairsNeeded } = comparison;
  return (
    <section className={`verdict ${verdict}`} aria-label="Verdict">
      <div className="verdict-words">
        <h2>
          <Icon name={icons[verdict]} /> {verdict}
        </h2>
        <p className="verdict-meaning">
          {meaning(verdict)} {pairsNeeded === null ? null : `About ${plural(pairsNeeded, 'more pair')} needed for a verdict.`}
        </p>
        {reasons.length === 0 ? null : (
          <ul>
            {reasons.slice(0, reasonsShownMax).map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
            {reasons.length > reasonsShownMax ? (
              <li>
                <Link href={addressOf('/endpoints', { verdict })}>and {plural(reasons.length - reasonsShownMax, 'more reason')}</Link>
              </li>
            ) : null}
          </ul>
        )}
        <p className="small">SAFE means: {policyText(policy)}.</p>
        <p className="small">
          {mode === 'finished' ? 'The run has ended; it was started' : 'Running'} <Since from={startedAt} to={time} ended={mode === 'finished'} />
          {comparison.from === null || comparison.to === null ? null : (
            <>
              {' '}
              Compared: requests from <Time iso={comparison.from} /> to <Time iso={comparison.to} />.
            </>
          )}
        </p>
        {comparison.warnings.map((warning) => (
          <p key={warning} className="small">
            <Icon name="alert" /> {warning}
          </p>
        ))}
      </div>
      <Numbers comparison={comparison} />
    </section>
  );
}

function Since({ from, to, ended }: { from: string; to: string; ended: boolean }): ReactNode {
  if (ended) return <Time iso={from} />;
  return (
    <>
      for {duration(Date.parse(to) - Date.parse(from))}, since <Time iso={from} />.
    </>
  );
}

function Numbers({ comparison: { pairs, mismatches, mismatch, clusters, excluded } }: { comparison: Comparison }): ReactNode {
  const left = Object.entries(excluded).flatMap(([reason, number]) => (typeof number === 'number' && number > 0 ? [[reason, number] as const] : []));
  return (
    <dl className="numbers">
      <div>
        <dt>Pairs compared</dt>
        <dd>{count(pairs)}</dd>
      </div>
      <div>
        <dt>Answered alike</dt>
        <dd>{pairs === 0 ? '–' : percent(1 - mismatches / pairs)}</dd>
        <dd className="small">{mismatch === null ? `${count(mismatches)} not` : intervalText({ value: 1 - mismatch.value, low: 1 - mismatch.high, high: 1 - mismatch.low }, percent)}</dd>
      </div>
      <div>
        <dt>Differences</dt>
        <dd className="row">
          {(['high', 'medium', 'low'] as const).map((risk, index) => (
            <Fragment key={risk}>
              {index === 0 ? null : <span aria-hidden="true"> </span>}
              <Link href={addressOf('/differences', { risk })} className={`risk-count ${risk}`}>
                <b>{count(clusters[risk])}</b> {risk}
              </Link>
            </Fragment>
          ))}
        </dd>
      </div>
      <div>
        <dt>Left out</dt>
        <dd>{count(left.reduce((sum, [, number]) => sum + number, 0))}</dd>
        <dd className="small">{left.map(([reason, number]) => `${reason.replaceAll('_', ' ')} ${count(number)}`).join(', ')}</dd>
      </div>
    </dl>
  );
}
