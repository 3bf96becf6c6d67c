/** Single requests, the newest first. */
import './requests.css';
import { type ReactNode, useCallback, useMemo } from 'react';
import type { RequestRow } from '../../../doubletake/src/server/api/requests.ts';
import { useRequests, useSession } from '../api/queries.ts';
import { useFilters } from '../navigation/filters.ts';
import { Button } from '../parts/button.tsx';
import { Chip } from '../parts/chip.tsx';
import { Choice, SearchBox, TypedInput } from '../parts/fields.tsx';
import { milliseconds, plural } from '../parts/figures.ts';
import { Empty, Loading, Problem } from '../parts/states.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { localToIso, isoToLocal } from './local-time.ts';
import { outcomeChoices, outcomeTone, outcomeWords } from './outcomes.ts';

const filterNames = ['q', 'method', 'path', 'status', 'outcome', 'from', 'to'] as const;

export function RequestsView(): ReactNode {
  const { values, set, active, clear } = useFilters(filterNames);
  const still = useFilters(['hold', 'to']);
  const live = useSession().data?.mode === 'live';
  const follow = live && !still.active;
  const query = new URLSearchParams(filterNames.flatMap((name) => (values[name] === '' ? [] : [[name, values[name]]]))).toString();
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useRequests(query, follow);
  const rows = useMemo(() => data?.pages.flatMap(({ requests }) => requests) ?? [], [data]);
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const field = (name: (typeof filterNames)[number], label: string, placeholder: string): ReactNode => (
    <label className="filter">
      <span>{label}</span>
      <TypedInput
        className="input"
        value={values[name]}
        placeholder={placeholder}
        onTyped={(value) => set({ [name]: value }, { typing: true })}
        autoComplete="off"
        spellCheck={false}
      />
    </label>
  );
  const time = (name: 'from' | 'to', label: string): ReactNode => (
    <label className="filter">
      <span>{label}</span>
      <input
        className="input"
        type="datetime-local"
        step={1}
        value={isoToLocal(values[name])}
        onChange={({ target }) => set({ [name]: localToIso(target.value) })}
      />
    </label>
  );
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Requests</h1>
        {live ? (
          <Choice
            label="New requests"
            value={follow ? 'follow' : 'hold'}
            onChoose={(chosen) => (chosen === 'hold' ? still.set({ hold: '1' }) : still.clear())}
            choices={[
              ['follow', 'Follow'],
              ['hold', 'Hold'],
            ]}
          />
        ) : null}
      </div>
      <div className="toolbar">
        <SearchBox label="Search target, endpoint, client, values" value={values.q} onTyped={(q) => set({ q }, { typing: true })} />
        <label className="filter">
          <span>Outcome</span>
          <select className="input" value={values.outcome} onChange={({ target }) => set({ outcome: target.value })}>
            {outcomeChoices(values.outcome).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {field('method', 'Method', 'GET')}
        {field('path', 'Path', '/cart/*')}
        {field('status', 'Status', '404 or 5xx')}
        <div className="period">
          {time('from', 'From')}
          {time('to', 'To')}
        </div>
        {active ? (
          <Button icon="close" kind="bare" onClick={clear}>
            Clear
          </Button>
        ) : null}
      </div>
      {error !== null && data === undefined ? (
        <Problem title="Could not load the requests" error={error} again={() => void refetch()} />
      ) : data === undefined ? (
        <Loading what="the requests" />
      ) : rows.length === 0 ? (
        <Empty title={active ? 'No request is like that' : 'No request yet'} icon="requests">
          {active ? (
            <Button onClick={clear}>Show all requests</Button>
          ) : (
            'They appear as they are captured. Look at the traffic if there should be some.'
          )}
        </Empty>
      ) : (
        <>
          {error === null ? null : <Problem title="Could not load more" error={error} again={() => void refetch()} />}
          <p className="quiet small" role="status">
            {plural(rows.length, 'request')}
            {hasNextPage ? ', more below' : ''}; what is stored is thinned out where there is much of the same
          </p>
          <Table
            label="Requests"
            columns={columns}
            rows={rows}
            keyOf={({ id }) => id}
            hrefOf={({ id }) => `/requests/${encodeURIComponent(id)}`}
            rowPx={58}
            onEnd={more}
          />
          {isFetchingNextPage ? <Loading what="more" /> : null}
        </>
      )}
    </div>
  );
}

const columns: readonly Column<RequestRow>[] = [
  {
    key: 'target',
    title: 'Request',
    width: 'minmax(14rem, 2.4fr)',
    cell: ({ method, target, endpoint }) => (
      <>
        <code className="request-target">
          <b>{method}</b> {target}
        </code>
        <span className="quiet block">{endpoint ?? ''}</span>
      </>
    ),
  },
  { key: 'time', title: 'Time', width: '8.5rem', cell: ({ time }) => <Time iso={time} /> },
  {
    key: 'client',
    title: 'Client',
    width: 'minmax(9rem, 1.6fr)',
    cell: ({ client }) => (
      <code className="quiet client" title={client}>
        {client}
      </code>
    ),
  },
  {
    key: 'outcome',
    title: 'Outcome',
    width: '11rem',
    cell: ({ outcome }) => <Chip tone={outcomeTone(outcome)}>{outcomeWords(outcome)}</Chip>,
  },
  {
    key: 'compared',
    title: 'Compared',
    width: '6rem',
    cell: ({ compared }) =>
      compared === null ? <span className="quiet">–</span> : <Chip tone={compared === 'equal' ? 'good' : 'bad'}>{compared}</Chip>,
  },
  {
    key: 'production',
    title: 'Production',
    width: '5.5rem',
    numeric: true,
    cell: ({ production, totalMs }) => <Side status={production} ms={totalMs.production} />,
  },
  {
    key: 'candidate',
    title: 'Candidate',
    width: '5.5rem',
    numeric: true,
    cell: ({ candidate, totalMs }) => <Side status={candidate} ms={totalMs.candidate} />,
  },
];

function Side({ status, ms }: { status: number | null; ms: number | null }): ReactNode {
  return (
    <span>
      {status ?? '–'}
      <span className="quiet block">{ms === null ? '' : milliseconds(ms)}</span>
    </span>
  );
}
