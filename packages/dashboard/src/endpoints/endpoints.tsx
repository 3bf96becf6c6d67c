/** Every endpoint with what was found of it. */
import { type ReactNode, useDeferredValue, useMemo } from 'react';
import type { EndpointRow } from '../../../doubletake/src/server/api/endpoints.ts';
import { useEndpoints } from '../api/queries.ts';
import { addressOf } from '../navigation/address.ts';
import { useFilters } from '../navigation/filters.ts';
import { Button } from '../parts/button.tsx';
import { VerdictChip } from '../parts/chip.tsx';
import { Choice, SearchBox } from '../parts/fields.tsx';
import { count, intervalText, milliseconds, percent, plural, ratio, short } from '../parts/figures.ts';
import { IntervalPlot } from '../parts/interval-plot.tsx';
import { SortSelect } from '../parts/sort-select.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { type Column, Table } from '../parts/table.tsx';

const filterNames = ['q', 'verdict', 'sort'] as const;
const verdictRank: Readonly<Record<EndpointRow['verdict'], number>> = { REGRESSION: 0, INSUFFICIENT: 1, SAFE: 2 };

export function EndpointsView(): ReactNode {
  return (
    <div className="stack">
      <h1>Endpoints</h1>
      <Loaded query={useEndpoints()} what="the endpoints">
        {({ endpoints }) => <Endpoints endpoints={endpoints} />}
      </Loaded>
    </div>
  );
}

function Endpoints({ endpoints }: { endpoints: readonly EndpointRow[] }): ReactNode {
  const { values, set, active, clear } = useFilters(filterNames);
  const text = useDeferredValue(values.q);
  const shown = useMemo(() => {
    const wanted = text.toLowerCase();
    return endpoints
      .filter(({ endpoint, verdict }) => (values.verdict === '' || verdict === values.verdict) && endpoint.toLowerCase().includes(wanted))
      .toSorted((a, b) => verdictRank[a.verdict] - verdictRank[b.verdict] || b.pairs - a.pairs);
  }, [endpoints, text, values.verdict]);
  const counts = useMemo(() => Object.groupBy(endpoints, ({ verdict }) => verdict), [endpoints]);

  if (endpoints.length === 0) {
    return (
      <Empty title="No endpoint was compared yet" icon="endpoints">
        They appear when production and the candidate have answered the first requests. Where nothing is compared, start the mirror with{' '}
        <code>--run DIR</code>.
      </Empty>
    );
  }
  return (
    <>
      <div className="toolbar">
        <SearchBox label="Search endpoints" value={values.q} onTyped={(q) => set({ q }, { typing: true })} />
        <Choice
          label="Verdict"
          value={values.verdict}
          onChoose={(verdict) => set({ verdict })}
          choices={[
            ['', <>All {count(endpoints.length)}</>],
            ...(['REGRESSION', 'INSUFFICIENT', 'SAFE'] as const).map((verdict) => [verdict, `${words[verdict]} ${count(counts[verdict]?.length ?? 0)}`] as const),
          ]}
        />
        <SortSelect columns={columns} sort={values.sort} onSort={(sort) => set({ sort })} />
      </div>
      {shown.length === 0 ? (
        <Empty title="No endpoint is like that">
          <Button onClick={clear}>Show all {plural(endpoints.length, 'endpoint')}</Button>
        </Empty>
      ) : (
        <>
          <p className="quiet small" role="status">
            {active ? `${count(shown.length)} of ${plural(endpoints.length, 'endpoint')}` : plural(endpoints.length, 'endpoint')}; an interval holds however often it is looked at
          </p>
          <Table
            label="Endpoints"
            columns={columns}
            rows={shown}
            keyOf={({ endpoint }) => endpoint}
            hrefOf={({ endpoint }) => addressOf('/differences', { endpoint })}
            sort={values.sort}
            onSort={(sort) => set({ sort })}
            rowPx={72}
          />
        </>
      )}
    </>
  );
}

const words = { REGRESSION: 'Regression', INSUFFICIENT: 'Insufficient', SAFE: 'Safe' } as const;

const columns: readonly Column<EndpointRow>[] = [
  {
    key: 'endpoint',
    title: 'Endpoint',
    width: 'minmax(12rem, 3fr)',
    sortValue: ({ endpoint }) => endpoint.replace(/^\S+ /, ''),
    cell: ({ endpoint, reason }) => (
      <>
        <code>{endpoint}</code>
        <span className="quiet block">{reason}</span>
      </>
    ),
  },
  { key: 'verdict', title: 'Verdict', width: '8.25rem', sortValue: ({ verdict }) => verdictRank[verdict], cell: ({ verdict }) => <VerdictChip verdict={verdict} /> },
  {
    key: 'pairs',
    title: 'Pairs',
    width: '4.5rem',
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
    width: '8.25rem',
    numeric: true,
    sortValue: ({ pairs, mismatches }) => (pairs === 0 ? null : mismatches / pairs),
    cell: ({ mismatch, mismatches, pairs }) =>
      mismatch === null ? (
        `${count(mismatches)} of ${count(pairs)}`
      ) : (
        <span>
          {percent(mismatch.value)}
          <span className="quiet block">{intervalText(mismatch, percent)}</span>
          <IntervalPlot estimate={mismatch} from={0} to={Math.max(0.01, Math.min(1, mismatch.high * 1.1))} limit={null} />
        </span>
      ),
  },
  {
    key: 'errors',
    title: 'Errors',
    width: '6rem',
    numeric: true,
    sortValue: ({ errors: { candidateOnly, both } }) => candidateOnly + both,
    cell: ({ errors: { baselineOnly, candidateOnly, both } }) => (
      <span title={`Failed or 5xx: candidate alone ${candidateOnly}, production alone ${baselineOnly}, both ${both}`}>
        {candidateOnly > 0 ? `+${short(candidateOnly)}` : candidateOnly + baselineOnly + both === 0 ? 'none' : '+0'}
        <span className="quiet block">
          {baselineOnly + both === 0 ? '' : `production ${short(baselineOnly + both)}`}
        </span>
      </span>
    ),
  },
  ...(['p50', 'p90', 'p99'] as const).map(
    (quantile): Column<EndpointRow> => ({
      key: quantile,
      title: `Latency ${quantile}`,
      width: '7.1rem',
      numeric: true,
      sortValue: ({ latencyRatio: { [quantile]: estimate } }) => estimate?.value ?? null,
      cell: ({ latencyRatio: { [quantile]: estimate }, latencyMs: { baseline, candidate } }) => (
        <span title={estimate === null ? 'Too few answers on both sides' : `Between ${intervalText(estimate, ratio)}`}>
          {estimate === null ? '–' : ratio(estimate.value)}
          <span className="quiet block">
            {baseline[quantile] === null && candidate[quantile] === null ? '' : `${milliseconds(baseline[quantile])} → ${milliseconds(candidate[quantile])}`}
          </span>
        </span>
      ),
    }),
  ),
  {
    key: 'clusters',
    title: 'Causes',
    width: '4rem',
    numeric: true,
    sortValue: ({ clusters }) => clusters,
    cell: ({ clusters }) => (clusters === 0 ? 'none' : count(clusters)),
  },
];
