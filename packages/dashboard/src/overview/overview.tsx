/** May we release, and is the mirror healthy: both at one glance. */
import './overview.css';
import type { ReactNode } from 'react';
import { useOverview } from '../api/queries.ts';
import { Loaded } from '../parts/states.tsx';
import { Charts } from './charts.tsx';
import { Flow } from './flow.tsx';
import { Sources, Targets } from './health.tsx';
import { Verdict } from './verdict.tsx';

export function OverviewView(): ReactNode {
  const overview = useOverview();
  return (
    <Loaded query={overview} what="the overview">
      {(now) => (
        <div className="stack">
          <h1 className="unseen">Overview</h1>
          <Verdict overview={now} />
          {now.mode === 'live' ? <Charts now={now} /> : null}
          <Flow stages={now.flow} />
          <div className="columns health">
            <Targets overview={now} />
            <Sources overview={now} />
          </div>
        </div>
      )}
    </Loaded>
  );
}
