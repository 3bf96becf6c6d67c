import type { ReactNode } from 'react';
import { plural, timeOfDay } from '../parts/figures.ts';

const width = 600;
const height = 72;
/** What is shown at least, up to the last of them. */
const minutesMin = 12;

/** A bar for each minute. `t` in seconds since the epoch. */
export function Timeline({ points }: { points: readonly { t: number; count: number }[] }): ReactNode {
  const last = points.at(-1)?.t ?? 0;
  const minutes = Math.max(minutesMin, Math.round((last - (points[0]?.t ?? last)) / 60) + 1);
  const first = last - (minutes - 1) * 60;
  const most = Math.max(...points.map(({ count }) => count), 1);
  const step = width / minutes;
  const total = points.reduce((sum, { count }) => sum + count, 0);
  return (
    <figure className="timeline">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${plural(total, 'pair')} in ${plural(minutes, 'minute')}, at most ${most} in one`}>
        {points.map(({ t, count }) => (
          <rect key={t} x={((t - first) / 60) * step} width={Math.max(1, step - 2)} y={height - (count / most) * height} height={(count / most) * height}>
            <title>{`${timeOfDay(t)}: ${plural(count, 'pair')}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption className="row spread quiet small">
        <span>{timeOfDay(first)}</span>
        <span>at most {plural(most, 'pair')} a minute</span>
        <span>{timeOfDay(last)}</span>
      </figcaption>
    </figure>
  );
}
