/**
 * The event stream of the server: what it tells goes to where the views read (queries.ts).
 *
 * A stream that breaks is opened again, ever less often, and then everything that is shown is asked for anew. While
 * nobody looks at the page there is none: a browser has six connections to a server for all of its tabs, and each stream
 * holds one.
 */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import type { Change, ChangeList, Control } from '../../../doubletake/src/server/api/control.ts';
import type { History, HistoryPoint, Overview } from '../../../doubletake/src/server/api/overview.ts';
import type { Session } from '../../../doubletake/src/server/api/session.ts';
import { ask } from './client.ts';
import { liveSeconds } from './queries.ts';

export type Connection = 'connecting' | 'open' | 'lost';

const retryMsMin = 1_000;
const retryMsMax = 8_000;
/** An overview comes each second; a stream that is silent for so long is dead. */
const silentMsMax = 10_000;
const hiddenMsMax = 20_000;
/** Between two times that the lists are asked for again because the comparison went on. */
const reportMsMin = 4_000;
const changesMax = 1_000;

interface Events {
  overview: Overview;
  point: HistoryPoint;
  change: Change;
  report: { verdict: string; pairs: number };
}

class LiveStream {
  readonly #client: QueryClient;
  readonly #listeners = new Set<() => void>();
  #source: EventSource | null = null;
  #connection: Connection = 'connecting';
  #retryMs = retryMsMin;
  #heardAt = 0;
  #retry: number | undefined;
  #watch: number | undefined;
  #hide: number | undefined;
  #report: number | undefined;
  #reportedAt = 0;
  /** There was a stream before: what is shown may be old. */
  #missed = false;
  #stopped = false;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly connection = (): Connection => this.#connection;

  start(): void {
    this.#stopped = false;
    document.addEventListener('visibilitychange', this.#visibility);
    this.#watch = window.setInterval(() => {
      if (this.#source !== null && this.#connection === 'open' && performance.now() - this.#heardAt > silentMsMax) this.#lost();
    }, 2_000);
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    document.removeEventListener('visibilitychange', this.#visibility);
    for (const timer of [this.#watch, this.#retry, this.#hide, this.#report]) window.clearTimeout(timer);
    this.#close();
  }

  /** Tries at once what would be tried soon. */
  tryNow(): void {
    window.clearTimeout(this.#retry);
    this.#open();
  }

  #open(): void {
    this.#close();
    const source = new EventSource('/api/events');
    this.#source = source;
    source.addEventListener('open', () => {
      this.#heardAt = performance.now();
      this.#retryMs = retryMsMin;
      if (this.#missed) void this.#client.invalidateQueries();
      this.#missed = true;
      this.#become('open');
    });
    source.addEventListener('error', () => this.#lost());
    this.#on(source, 'overview', (overview) => {
      this.#client.setQueryData(['overview'], overview);
      const { replay, targets } = overview;
      this.#client.setQueryData(['control'], { replay, targets } satisfies Control);
    });
    this.#on(source, 'point', (point) => {
      this.#client.setQueryData<History>(['history', liveSeconds], (history) => history && { ...history, points: appended(history.points, point) });
    });
    this.#on(source, 'change', (change) => {
      this.#client.setQueryData<ChangeList>(['changes'], (list) => list && { changes: [change, ...list.changes].slice(0, changesMax) });
      for (const name of ['control', 'rules']) void this.#client.invalidateQueries({ queryKey: [name] });
      this.#refreshComparison();
    });
    this.#on(source, 'report', () => this.#refreshComparison());
  }

  #on<Name extends keyof Events>(source: EventSource, name: Name, heard: (value: Events[Name]) => void): void {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      this.#heardAt = performance.now();
      heard(JSON.parse(event.data) as Events[Name]);
    });
  }

  #refreshComparison(): void {
    if (this.#report !== undefined) return;
    const wait = Math.max(0, this.#reportedAt + reportMsMin - performance.now());
    this.#report = window.setTimeout(() => {
      this.#report = undefined;
      this.#reportedAt = performance.now();
      for (const name of ['endpoints', 'clusters']) void this.#client.invalidateQueries({ queryKey: [name] });
    }, wait);
  }

  #lost(): void {
    this.#close();
    this.#missed = true;
    this.#become('lost');
    this.#retry = window.setTimeout(() => this.#askWhy(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  /** A stream does not say why it failed: an expired session looks like a server that is gone. */
  #askWhy(): void {
    ask<Session>('/api/session').then(
      (session) => {
        this.#client.setQueryData(['session'], session);
        // A page that is hidden opens it when it is seen again.
        if (session.role !== null && !this.#stopped && !document.hidden) this.#open();
      },
      () => {
        if (!this.#stopped) this.#lost();
      },
    );
  }

  readonly #visibility = (): void => {
    window.clearTimeout(this.#hide);
    if (document.hidden) this.#hide = window.setTimeout(() => this.#close(), hiddenMsMax);
    else if (this.#source === null) this.tryNow();
  };

  #close(): void {
    this.#source?.close();
    this.#source = null;
  }

  #become(connection: Connection): void {
    this.#connection = connection;
    for (const listener of this.#listeners) listener();
  }
}

/** Points of the time that is shown, the oldest first. */
function appended(points: readonly HistoryPoint[], point: HistoryPoint): HistoryPoint[] {
  const kept = points.filter(({ t }) => t > point.t - liveSeconds && t < point.t);
  return [...kept, point];
}

/** Holds the stream open as long as the component is shown. */
export function useLiveStream(): { connection: Connection; tryNow: () => void } {
  const client = useQueryClient();
  const [stream] = useState(() => new LiveStream(client));
  const connection = useSyncExternalStore(stream.subscribe, stream.connection);
  useEffect(() => {
    stream.start();
    return () => stream.stop();
  }, [stream]);
  return { connection, tryNow: () => stream.tryNow() };
}
