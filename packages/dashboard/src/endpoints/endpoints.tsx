/** Every endpoint with what was found of it. */
import { type ReactNode, useDeferredValue, useMemo } from 'react';
import type { EndpointRow } from '../../../doubletake/src/server/api/endpoints.ts';
import { useEndpoints, useOverview } from '../api/queries.ts';
import { addressOf } from '../navigation/address.ts';
import { useFilters } from '../navigation/filters.ts';
import { Button } from '../parts/button.tsx';
import { Choice, SearchBox } from '../parts/fields.tsx';
import { count, plural } from '../parts/figures.ts';
import { SortSelect } from '../parts/sort-select.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { columnsFor, verdictRank } from './columns.tsx';

const filterNames = ['q', 'verdict', 'sort'] as const;

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
  const policy = useOverview().data?.comparison?.policy;
  const columns = useMemo(() => columnsFor(policy ?? null), [policy]);
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
