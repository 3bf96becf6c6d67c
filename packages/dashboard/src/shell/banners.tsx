import type { ReactNode } from 'react';
import type { Overview } from '../../../doubletake/src/server/api/overview.ts';
import type { Connection } from '../api/live.ts';
import { Link } from '../navigation/link.tsx';
import { Button } from '../parts/button.tsx';
import { localTime } from '../parts/figures.ts';
import { Notice } from '../parts/states.tsx';

interface BannersProps {
  connection: Connection;
  tryNow: () => void;
  overview: Overview | undefined;
}

/** What must be known on every view. */
export function Banners({ connection, tryNow, overview }: BannersProps): ReactNode {
  return (
    <div className="banners">
      {connection === 'lost' ? (
        <Notice tone="bad">
          <div className="row">
            <span>
              <b>Connection lost, trying again.</b>{' '}
              {overview === undefined ? null : `What you see is from ${localTime(overview.time)}.`} Is doubletake still running?
            </span>
            <Button onClick={tryNow}>Try now</Button>
          </div>
        </Notice>
      ) : null}
      {overview === undefined || overview.problem === null ? null : (
        <Notice tone="bad">
          <b>Nothing flows through.</b> {overview.problem}. <Link href="/traffic">Look at the traffic</Link>
        </Notice>
      )}
      {overview?.replay === 'stopped' && overview.mode === 'live' ? (
        <Notice tone="unsure">
          <b>All replay is stopped by hand.</b> Requests are captured and go nowhere. <Link href="/control">Go to control</Link>
        </Notice>
      ) : null}
    </div>
  );
}
