/** May we release, and is the mirror healthy: both at one glance. */
import './overview.css';
import type { ReactNode } from 'react';
import { useOverview } from '../api/queries.ts';
import { Link } from '../navigation/link.tsx';
import { Panel } from '../parts/panel.tsx';
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
          {now.mode === 'finished' ? (
            <WhereToLook />
          ) : (
            <>
              <Charts now={now} />
              <Flow stages={now.flow} />
              <div className="columns">
                <Targets overview={now} />
                <Sources overview={now} />
              </div>
            </>
          )}
        </div>
      )}
    </Loaded>
  );
}

/** Of a run that has ended there is the comparison, and nothing that moves. */
function WhereToLook(): ReactNode {
  return (
    <Panel title="What is kept of it">
      <ul>
        <li>
          <Link href="/endpoints">Endpoints</Link>, with what was found of each
        </li>
        <li>
          <Link href="/differences">Differences</Link> by their cause, with examples side by side
        </li>
        <li>
          <Link href="/requests">Requests</Link> that were compared
        </li>
      </ul>
    </Panel>
  );
}
