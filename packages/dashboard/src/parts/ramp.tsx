import './ramp.css';
import type { ReactNode } from 'react';
import type { TargetHealth } from '../../../doubletake/src/server/api/overview.ts';
import { duration, percent } from './figures.ts';

/** `25 %, by its ramp`. */
export function shareText({ percentage, percentageBy }: TargetHealth): string {
  const by = { hand: ', by hand', ramp: ', by its ramp', configuration: '' }[percentageBy];
  return `${percent(percentage / 100)}${by}`;
}

const states = { rising: 'rising', held: 'held where it is', backed_off: 'backed off: too many errors', done: 'at its end' } as const;

/** The steps of a target's ramp, and where it stands. */
export function RampSteps({ target: { ramp } }: { target: TargetHealth }): ReactNode {
  if (ramp === null) return null;
  return (
    <div className="ramp">
      <ol className="ramp-steps" aria-label="Ramp">
        {ramp.steps.map(({ percentage, forMs }, index) => (
          // oxlint-disable-next-line no-array-index-key -- steps have no other name, and do not move
          <li key={index} className={index < ramp.step ? 'done' : index === ramp.step ? 'now' : ''} aria-current={index === ramp.step ? 'step' : undefined}>
            <b>{percent(percentage / 100)}</b>
            <span className="quiet small">{forMs === null ? 'from then on' : `for ${duration(forMs)}`}</span>
          </li>
        ))}
      </ol>
      <p className="quiet small">ramp: {states[ramp.state]}</p>
    </div>
  );
}
