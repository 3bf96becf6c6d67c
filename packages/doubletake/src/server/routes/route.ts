/** A route of the HTTP API: one description by which it is registered, checked and documented. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { ChangeLog } from '../changes.ts';
import type { Gate, Visitor } from '../access/gate.ts';
import type { DashboardBackend } from '../api/backend.ts';
import type { Exposition } from '../metrics/exposition.ts';
import type { Observer } from '../observer.ts';
import type { PreparedAnswers } from '../prepared.ts';

/** What routes work with. */
export interface Services {
  backend: DashboardBackend;
  observer: Observer;
  changes: ChangeLog;
  gate: Gate;
  prepared: PreparedAnswers;
  /** Metrics for Prometheus, in the format that the header `Accept` prefers; null where there are none. */
  metrics: ((accept: string | undefined) => Promise<Exposition>) | null;
}

/** A request that was let in, its input checked. */
export interface Call<Query = unknown, Body = unknown> {
  query: Query;
  body: Body;
  /** A part of the path. */
  param: (name: string) => string;
  visitor: Visitor;
  /** `operator 10.0.0.7`, for the log of changes. */
  who: string;
  request: IncomingMessage;
  setCookie: (value: string) => void;
}

/** What is answered beside JSON. */
export class TextAnswer {
  readonly type: string;
  readonly text: string;
  /** Name under which it is saved; null where it is not to be. */
  readonly file: string | null;
  readonly status: number;

  constructor(type: string, text: string, { file = null, status = 200 }: { file?: string | null; status?: number } = {}) {
    this.type = type;
    this.text = text;
    this.file = file;
    this.status = status;
  }
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As in OpenAPI: `/api/clusters/{id}`. */
  path: string;
  summary: string;
  /** Who may. */
  access: 'anybody' | 'reader' | 'operator';
  query?: z.ZodType;
  body?: z.ZodType;
  status: number;
  answer:
    /** JSON of this shape; `run` resolves with it, with it prepared, or with a `TextAnswer` where the status tells. */
    | z.ZodType
    /** `run` resolves with a `TextAnswer`. */
    | { type: string }
    /** Server-sent events; `run` resolves with the texts of the first ones. */
    | 'events';
  run(call: Call): unknown;
}

/** A route whose handler knows the types of its input. */
export function route<Query extends z.ZodType, Body extends z.ZodType>(
  definition: Omit<Route, 'run' | 'query' | 'body' | 'status'> & {
    query?: Query;
    body?: Body;
    /** 200, unless given. */
    status?: number;
    run(call: Call<z.output<Query>, z.output<Body>>): unknown;
  },
): Route {
  return {
    status: 200,
    ...definition,
    // The caller parses what comes in by these very schemas.
    run: (call) => definition.run(call as Call<z.output<Query>, z.output<Body>>),
  };
}
