/** What stands where there is nothing to show: not yet, not at all, or not to be had. */
import './states.css';
import type { ReactNode } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';
import { ApiError } from '../api/client.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

export function Loading({ what }: { what: string }): ReactNode {
  return (
    <div className="nothing loading" role="status">
      <span className="spinner" aria-hidden="true" />
      Loading {what} …
    </div>
  );
}

/** Nothing is there; `children` says why and what to do. */
export function Empty({ title, icon = 'search', children }: { title: string; icon?: IconName; children?: ReactNode }): ReactNode {
  return (
    <div className="nothing">
      <Icon name={icon} />
      <p className="nothing-title">{title}</p>
      <div className="quiet">{children}</div>
    </div>
  );
}

export function Problem({ title, error, again }: { title: string; error: Error; again?: () => void }): ReactNode {
  if (error instanceof ApiError && error.code === 'DT_NOT_AVAILABLE') return <Empty title="This is not kept">{error.message}</Empty>;
  return (
    <div className="nothing problem" role="alert">
      <Icon name="alert" />
      <p className="nothing-title">{title}</p>
      <p>{error.message}</p>
      {again === undefined ? null : <Button onClick={again}>Try again</Button>}
    </div>
  );
}

/** What a query has come to: its data, also old ones, or what stands in their place. */
export function Loaded<T>({ query, what, children }: { query: UseQueryResult<T>; what: string; children: (data: T) => ReactNode }): ReactNode {
  const { data, error, refetch } = query;
  if (data !== undefined) return children(data);
  if (error !== null) return <Problem title={`Could not load ${what}`} error={error} again={() => void refetch()} />;
  return <Loading what={what} />;
}

/** A line that must be seen, in the flow of the page. */
export function Notice({ tone, children }: { tone: 'bad' | 'unsure' | 'plain'; children: ReactNode }): ReactNode {
  return (
    <div className={`notice ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      {tone === 'plain' ? null : <Icon name="alert" />}
      <div>{children}</div>
    </div>
  );
}
