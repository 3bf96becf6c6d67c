/** What differs, put down to its causes, the riskiest first. */
import './differences.css';
import { type ReactNode, useDeferredValue, useMemo } from 'react';
import type { ClusterRow } from '../../../doubletake/src/server/api/clusters.ts';
import { useClusters } from '../api/queries.ts';
import { useFilters } from '../navigation/filters.ts';
import { Button } from '../parts/button.tsx';
import { Chip, RiskChip } from '../parts/chip.tsx';
import { Choice, SearchBox, Select } from '../parts/fields.tsx';
import { count, percent, plural } from '../parts/figures.ts';
import { sentence } from '../parts/sentence.ts';
import { SortSelect } from '../parts/sort-select.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { RulesDialog } from './rules-dialog.tsx';
import { transitionText } from './transition.ts';

const filterNames = ['q', 'risk', 'kind', 'endpoint', 'show', 'sort'] as const;
const riskRank: Readonly<Record<ClusterRow['risk'], number>> = { high: 0, medium: 1, low: 2 };

export function DifferencesView(): ReactNode {
  const { values, set } = useFilters(['rules']);
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Differences</h1>
        <Button icon="sliders" onClick={() => set({ rules: 'shown' })}>
          Rules and accepted
        </Button>
      </div>
      <Loaded query={useClusters()} what="the differences">
        {({ clusters, hidden }) => (
          <>
            {hidden === null ? null : <Notice tone="unsure">{sentence(hidden)}</Notice>}
            <Clusters clusters={clusters} columns={hidden === null ? columns : withoutValues} />
          </>
        )}
      </Loaded>
      {values.rules === 'shown' ? <RulesDialog onClose={() => set({ rules: '' })} /> : null}
    </div>
  );
}

function Clusters({
  clusters,
  columns: shownColumns,
}: {
  clusters: readonly ClusterRow[];
  columns: readonly Column<ClusterRow>[];
}): ReactNode {
  const { values, set, active, clear } = useFilters(filterNames);
  const { risk, kind, endpoint, show } = values;
  const text = useDeferredValue(values.q);
  const shown = useMemo(() => {
    const wanted = text.toLowerCase();
    return clusters.filter(
      (cluster) =>
        (risk === '' || cluster.risk === risk) &&
        (kind === '' || cluster.kind === kind) &&
        (endpoint === '' || cluster.endpoint === endpoint) &&
        (show === 'all' || (show === 'accepted' ? cluster.accepted : !cluster.accepted)) &&
        (wanted === '' ||
          `${cluster.endpoint} ${cluster.path} ${cluster.cause} ${cluster.from ?? ''} ${cluster.to ?? ''}`.toLowerCase().includes(wanted)),
    );
  }, [clusters, text, risk, kind, endpoint, show]);
  const counts = useMemo(() => Object.groupBy(clusters, (cluster) => cluster.risk), [clusters]);
  const kinds = useMemo(() => [...new Set(clusters.map((cluster) => cluster.kind))].toSorted(), [clusters]);

  if (clusters.length === 0) {
    return (
      <Empty title="No difference was found" icon="check">
        Either both versions answer alike so far, or too little was compared yet: the overview says which.
      </Empty>
    );
  }
  return (
    <>
      <div className="toolbar">
        <SearchBox label="Search differences" value={values.q} onTyped={(q) => set({ q }, { typing: true })} />
        <Choice
          label="Risk"
          value={risk}
          onChoose={(chosen) => set({ risk: chosen })}
          choices={[
            ['', 'All'],
            ...(['high', 'medium', 'low'] as const).map((each) => [each, `${each} ${count(counts[each]?.length ?? 0)}`] as const),
          ]}
        />
        <Select
          label="Kind"
          value={kind}
          onChoose={(chosen) => set({ kind: chosen })}
          choices={[['', 'Every kind'], ...kinds.map((each) => [each, each] as const)]}
        />
        <Select
          label="Accepted ones"
          value={show}
          onChoose={(chosen) => set({ show: chosen })}
          choices={[
            ['', 'Not accepted'],
            ['accepted', 'Accepted'],
            ['all', 'Accepted or not'],
          ]}
        />
        <SortSelect columns={columns} sort={values.sort} onSort={(sort) => set({ sort })} />
      </div>
      {endpoint === '' ? null : (
        <p className="row">
          <span>
            Only <code>{endpoint}</code>
          </span>
          <Button kind="bare" icon="close" onClick={() => set({ endpoint: '' })}>
            All endpoints
          </Button>
        </p>
      )}
      {shown.length === 0 ? (
        <Empty title="No difference is like that" icon={endpoint === '' ? 'search' : 'check'}>
          <Button onClick={clear}>Show all {plural(clusters.length, 'difference')}</Button>
        </Empty>
      ) : (
        <>
          <p className="quiet small" role="status">
            {active ? `${count(shown.length)} of ${plural(clusters.length, 'difference')}` : plural(clusters.length, 'difference')}
          </p>
          <Table
            label="Differences"
            columns={shownColumns}
            rows={shown}
            keyOf={({ id }) => id}
            hrefOf={({ id }) => `/differences/${encodeURIComponent(id)}`}
            sort={values.sort}
            onSort={(sort) => set({ sort })}
            rowPx={76}
          />
        </>
      )}
    </>
  );
}

const columns: readonly Column<ClusterRow>[] = [
  {
    key: 'endpoint',
    title: 'Where and why',
    width: 'minmax(16rem, 2.4fr)',
    sortValue: ({ endpoint, path }) => `${endpoint.replace(/^\S+ /, '')} ${path}`,
    cell: ({ endpoint, path, cause, origin, significant, accepted }) => (
      <>
        <code>{endpoint}</code> <code className="path">{path}</code>
        <span className="quiet block">
          {[
            cause,
            ...(origin === 'state' ? ['different data, not different code'] : []),
            ...(significant ? [] : ['may still be noise']),
          ].join('; ')}
          {accepted ? (
            <>
              {' '}
              <Chip tone="quiet">accepted</Chip>
            </>
          ) : null}
        </span>
      </>
    ),
  },
  { key: 'risk', title: 'Risk', width: '6rem', sortValue: ({ risk }) => riskRank[risk], cell: ({ risk }) => <RiskChip risk={risk} /> },
  {
    key: 'kind',
    title: 'Kind',
    width: '9rem',
    sortValue: ({ kind }) => kind,
    cell: ({ kind, transition }) => (
      <span>
        {kind}
        <span className="quiet block">{transitionText(transition)}</span>
      </span>
    ),
  },
  {
    key: 'values',
    title: 'Production → candidate',
    width: 'minmax(9rem, 1.4fr)',
    cell: ({ from, to }) => (
      <span className="values">
        <code>{from ?? 'nothing'}</code>
        {from === to ? (
          <span className="quiet">on both sides</span>
        ) : (
          <>
            <span className="unseen"> in production, at the candidate </span>
            <code>
              <span aria-hidden="true">→ </span>
              {to ?? 'nothing'}
            </code>
          </>
        )}
      </span>
    ),
  },
  {
    key: 'count',
    title: 'Pairs',
    width: '5rem',
    numeric: true,
    sortValue: (cluster) => cluster.count,
    cell: (cluster) => count(cluster.count),
  },
  { key: 'share', title: 'Share', width: '5rem', numeric: true, sortValue: ({ share }) => share, cell: ({ share }) => percent(share) },
  {
    key: 'firstSeen',
    title: 'First seen',
    width: '8.5rem',
    numeric: true,
    sortValue: ({ firstSeen }) => firstSeen,
    cell: ({ firstSeen }) => <Time iso={firstSeen} />,
  },
];

const withoutValues = columns.filter(({ key }) => key !== 'values');
