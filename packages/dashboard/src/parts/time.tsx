import type { ReactNode } from 'react';
import { localTime } from './figures.ts';

/** A time where the reader is; in UTC for whoever points at it. */
export function Time({ iso }: { iso: string }): ReactNode {
  return (
    <time dateTime={iso} title={`${iso} (UTC)`}>
      {localTime(iso)}
    </time>
  );
}
