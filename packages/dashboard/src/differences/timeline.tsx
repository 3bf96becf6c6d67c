import type { ReactNode } from 'react';
import { localTime, plural } from '../parts/figures.ts';

const width = 600;
const height = 72;

/** A bar for each minute. `t` in seconds since the epoch. */
export function Timeline({ points }: { points: readonly { t: number; count: number }[] }): ReactNode {
  const first = points[0]?.t ?? 0;
  const minutes = Math.max(1, Math.round(((points.at(-1)?.t ?? first) - first) / 60) + 1);
  const most = Math.max(...points.map(({ count }) => count), 1);
  const step = width / Math.max(minutes, 12);
  const clock = (t: number): string => localTime(new Date(t * 1_000).toISOString()).slice(0, -3);
  const total = points.reduce((sum, { count }) => sum + count, 0);
  return (
    <figure className="timeline">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${plural(total, 'pair')} in ${plural(minutes, 'minute')}, at most ${most} in one`}>
        {points.map(({ t, count }) => (
          <rect key={t} x={((t - first) / 60) * step} width={Math.max(1, step - 2)} y={height - (count / most) * height} height={(count / most) * height}>
            <title>{`${clock(t)}: ${plural(count, 'pair')}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption className="row spread quiet small">
        <span>{clock(first)}</span>
        <span>at most {plural(most, 'pair')} a minute</span>
        <span>{clock(points.at(-1)?.t ?? first)}</span>
      </figcaption>
    </figure>
  );
}
