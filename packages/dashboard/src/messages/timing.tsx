import './messages.css';
import type { ReactNode } from 'react';
import type { ShownPair } from '../../../doubletake/src/server/api/clusters.ts';
import { milliseconds } from '../parts/figures.ts';

type Timing = ShownPair['timing'];

/** How long each side took to its first byte and to its last, on one scale. */
export function TimingBars({ timing, names }: { timing: Timing; names: readonly [string, string] }): ReactNode {
  const sides = [
    [names[0], timing.baseline, 'production'],
    [names[1], timing.candidate, 'candidate'],
  ] as const;
  const longest = Math.max(...sides.map(([, side]) => side?.totalMs ?? 0), 0.001);
  return (
    <dl className="timing">
      {sides.map(([name, side, colour]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="timing-bar" aria-hidden="true">
            {side === null ? null : (
              <>
                <span className={`timing-wait ${colour}`} style={{ width: `${(100 * side.firstByteMs) / longest}%` }} />
                <span className={`timing-read ${colour}`} style={{ width: `${(100 * Math.max(0, side.totalMs - side.firstByteMs)) / longest}%` }} />
              </>
            )}
          </dd>
          <dd>
            {side === null ? (
              <span className="quiet">not known</span>
            ) : (
              <>
                <b>{milliseconds(side.totalMs)}</b> <span className="quiet">first byte after {milliseconds(side.firstByteMs)}</span>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
