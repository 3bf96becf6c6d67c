import type { ReactNode } from 'react';
import type { Estimate } from '../../../doubletake/src/compare/report.ts';

const width = 96;

/** An estimate and its interval between `from` and `to`; the bar across is what the policy allows. Said in words beside it. */
export function IntervalPlot({ estimate, from, to, limit }: { estimate: Estimate; from: number; to: number; limit: number }): ReactNode {
  const place = (value: number): number => 4 + Math.min(1, Math.max(0, (value - from) / (to - from || 1))) * (width - 8);
  const low = place(estimate.low);
  return (
    <svg className="interval" aria-hidden="true" width={width} height="12" viewBox={`0 0 ${width} 12`}>
      <path className="track" d={`M4 6H${width - 4}`} />
      <path className="range" d={`M${low} 6H${Math.max(low + 1, place(estimate.high))}`} />
      <path className="limit" d={`M${place(limit)} 0V12`} />
      <circle className="value" r="3" cx={place(estimate.value)} cy="6" />
    </svg>
  );
}
