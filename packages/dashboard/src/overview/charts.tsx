import { type ReactNode, useMemo, useState } from 'react';
import type { HistoryPoint, Overview } from '../../../doubletake/src/server/api/overview.ts';
import { liveSeconds, useHistory } from '../api/queries.ts';
import { Chart, type Line } from '../parts/chart.tsx';
import { Choice } from '../parts/fields.tsx';
import { milliseconds, percent, rate } from '../parts/figures.ts';
import { Panel } from '../parts/panel.tsx';
import { Loaded } from '../parts/states.tsx';

const spans = [
  ['300', '5 min'],
  ['900', '15 min'],
  ['7200', '2 h'],
  ['86400', '24 h'],
] as const;

/** How it went, up to now. */
export function Charts({ now }: { now: Overview }): ReactNode {
  const [span, setSpan] = useState<(typeof spans)[number][0]>('300');
  const history = useHistory(Math.max(liveSeconds, Number(span)));
  return (
    <Panel title="Over time" className="charts" aside={<Choice label="How far back" value={span} choices={spans} onChoose={setSpan} />}>
      <Loaded query={history} what="what was">
        {({ points }) => <Lines points={points} seconds={Number(span)} compared={now.comparison !== null} />}
      </Loaded>
    </Panel>
  );
}

function Lines({ points, seconds, compared }: { points: readonly HistoryPoint[]; seconds: number; compared: boolean }): ReactNode {
  const lines = useMemo(() => linesOf(points), [points]);
  const shared = { times: lines.times, seconds };
  return (
    <div className="chart-grid" key={seconds}>
      <Chart {...shared} title="Requests a second" lines={lines.requests} format={(value) => `${rate(value)}/s`} axisFormat={rate} topMin={1} />
      {compared ? <Chart {...shared} title="Answered alike" lines={lines.match} format={percent} axisFormat={axisPercent} nearOne /> : null}
      <Chart {...shared} title="Errors" lines={lines.errors} format={percent} axisFormat={axisPercent} topMin={0.01} />
      <Chart {...shared} title="Latency p50" lines={lines.p50} format={milliseconds} topMin={1} />
      <Chart {...shared} title="Latency p90" lines={lines.p90} format={milliseconds} topMin={1} />
      <Chart {...shared} title="Latency p99" lines={lines.p99} format={milliseconds} topMin={1} />
    </div>
  );
}

function axisPercent(value: number): string {
  return `${Number((value * 100).toPrecision(3))} %`;
}

const production = { name: 'production', colour: '--production', dashed: true };
const candidate = { name: 'candidate', colour: '--candidate' };

interface Lines {
  times: number[];
  requests: Line[];
  match: Line[];
  errors: Line[];
  p50: Line[];
  p90: Line[];
  p99: Line[];
}

function linesOf(points: readonly HistoryPoint[]): Lines {
  const values = (of: (point: HistoryPoint) => number | null): (number | null)[] => points.map(of);
  const latency = (quantile: 'p50' | 'p90' | 'p99'): Line[] => [
    { ...production, values: values(({ production: { [quantile]: ms } }) => ms) },
    { ...candidate, values: values(({ candidate: { [quantile]: ms } }) => ms) },
  ];
  return {
    times: points.map(({ t }) => t),
    requests: [
      { name: 'captured', colour: '--production', dashed: true, values: values(({ captured }) => captured) },
      { name: 'replayed', colour: '--candidate', values: values(({ replayed }) => replayed) },
      { name: 'lost', colour: '--regression', values: values(({ lost }) => lost) },
    ],
    match: [{ name: 'alike', colour: '--safe', values: values(({ match }) => match) }],
    errors: [
      { ...production, values: values(({ productionErrors }) => productionErrors) },
      { ...candidate, values: values(({ candidateErrors }) => candidateErrors) },
    ],
    p50: latency('p50'),
    p90: latency('p90'),
    p99: latency('p99'),
  };
}
