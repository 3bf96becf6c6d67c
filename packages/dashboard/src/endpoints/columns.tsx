/** The columns of the table of endpoints. */
import type { ReactNode } from 'react';
import type { EndpointRow } from '../../../doubletake/src/server/api/endpoints.ts';
import type { Overview } from '../../../doubletake/src/server/api/overview.ts';
import { VerdictChip } from '../parts/chip.tsx';
import { count, intervalText, milliseconds, percent, ratio, short } from '../parts/figures.ts';
import { IntervalPlot } from '../parts/interval-plot.tsx';
import type { Column } from '../parts/table.tsx';

type Policy = NonNullable<Overview['comparison']>['policy'];

export const verdictRank: Readonly<Record<EndpointRow['verdict'], number>> = { REGRESSION: 0, INSUFFICIENT: 1, SAFE: 2 };

/** `policy`: what may be; null as long as it is not known. */
export function columnsFor(policy: Policy | null): Column<EndpointRow>[] {
  return [
    {
      key: 'endpoint',
      title: 'Endpoint',
      width: 'minmax(11.5rem, 3fr)',
      sortValue: ({ endpoint }) => endpoint.replace(/^\S+ /, ''),
      cell: ({ endpoint, reason }) => (
        <>
          <code>{endpoint}</code>
          <span className="quiet block reason" title={reason}>
            {reason}
          </span>
        </>
      ),
    },
    {
      key: 'verdict',
      title: 'Verdict',
      width: '8.25rem',
      sortValue: ({ verdict }) => verdictRank[verdict],
      cell: ({ verdict }) => <VerdictChip verdict={verdict} />,
    },
    {
      key: 'pairs',
      title: 'Pairs',
      width: '4.25rem',
      numeric: true,
      sortValue: ({ pairs }) => pairs,
      cell: ({ pairs, share }) => (
        <span>
          {count(pairs)}
          <span className="quiet block">{percent(share)}</span>
        </span>
      ),
    },
    {
      key: 'mismatch',
      title: 'Differ',
      width: '7.5rem',
      numeric: true,
      sortValue: ({ pairs, mismatches }) => (pairs === 0 ? null : mismatches / pairs),
      cell: ({ mismatch, mismatches, pairs }) =>
        mismatch === null ? (
          `${count(mismatches)} of ${count(pairs)}`
        ) : (
          <span>
            <Figure text={percent(mismatch.value)} over={policy !== null && mismatch.low > policy.maxMismatch} />
            <span className="quiet block">{intervalText(mismatch, percent)}</span>
            {policy === null ? null : (
              <IntervalPlot
                estimate={mismatch}
                from={0}
                to={Math.max(2 * policy.maxMismatch, Math.min(1, mismatch.high * 1.1))}
                limit={policy.maxMismatch}
              />
            )}
          </span>
        ),
    },
    {
      key: 'errors',
      title: 'Errors',
      width: '5.25rem',
      numeric: true,
      sortValue: ({ errors: { candidateOnly, both } }) => candidateOnly + both,
      cell: ({ errors: { baselineOnly, candidateOnly, both } }) => (
        <span title={`Failed or 5xx: candidate alone ${candidateOnly}, production alone ${baselineOnly}, both ${both}`}>
          {candidateOnly > 0 ? `+${short(candidateOnly)}` : candidateOnly + baselineOnly + both === 0 ? 'none' : '+0'}
          <span className="quiet block">{baselineOnly + both === 0 ? '' : `production ${short(baselineOnly + both)}`}</span>
        </span>
      ),
    },
    ...(['p50', 'p90', 'p99'] as const).map(
      (quantile): Column<EndpointRow> => ({
        key: quantile,
        title: `Latency ${quantile}`,
        width: '7.25rem',
        numeric: true,
        sortValue: ({ latencyRatio: { [quantile]: estimate } }) => estimate?.value ?? null,
        cell: ({ latencyRatio: { [quantile]: estimate }, latencyMs: { baseline, candidate } }) => (
          <span title={estimate === null ? 'Too few answers on both sides' : `Between ${intervalText(estimate, ratio)}`}>
            {estimate === null ? (
              '–'
            ) : (
              <Figure text={ratio(estimate.value)} over={policy !== null && estimate.low > policy.maxLatencyRatio} />
            )}
            <span className="quiet block">
              {baseline[quantile] === null && candidate[quantile] === null
                ? ''
                : `${milliseconds(baseline[quantile])} → ${milliseconds(candidate[quantile])}`}
            </span>
          </span>
        ),
      }),
    ),
    {
      key: 'clusters',
      title: 'Causes',
      width: '3.6rem',
      numeric: true,
      sortValue: ({ clusters }) => clusters,
      cell: ({ clusters }) => (clusters === 0 ? 'none' : count(clusters)),
    },
  ];
}

/** Marked where it is shown, not only estimated, to be beyond what is allowed. */
function Figure({ text, over }: { text: string; over: boolean }): ReactNode {
  return over ? <strong className="over">{text}</strong> : text;
}
