/** Single requests, compared or not: `GET /api/requests`, `GET /api/requests/{id}`. */
import { z } from 'zod';
import { shownPair } from './clusters.ts';
import { isoTime } from './values.ts';

/** The query of `GET /api/requests`; what is absent does not matter. */
export const requestQuery = z.strictObject({
  method: z.string().max(100).optional(),
  path: z.string().max(500).optional().describe('Part of path and query, or a glob with `*`.'),
  status: z.string().max(20).optional().describe('`404`, or a class such as `5xx`; of either side.'),
  outcome: z.string().max(100).optional().describe('`replayed`, `blocked`, or in full `blocked.method`; `differs` and `equal` for compared ones.'),
  q: z.string().max(200).optional().describe('Text in target, endpoint, client or values that differ.'),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  before: z.string().max(100).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type RequestQuery = z.infer<typeof requestQuery>;

export const requestRow = z.object({
  id: z.string(),
  time: isoTime,
  method: z.string(),
  target: z.string(),
  endpoint: z.string().nullable(),
  outcome: z.string().describe('`replayed`, `blocked.method` …'),
  production: z.number().nullable().describe('Status; null where it is not known.'),
  candidate: z.number().nullable(),
  compared: z.enum(['equal', 'differs']).nullable(),
  client: z.string().describe('The production connection, pseudonymized where addresses are.'),
  totalMs: z.object({ production: z.number().nullable(), candidate: z.number().nullable() }),
});
export type RequestRow = z.infer<typeof requestRow>;

/** The newest first. What is stored is thinned out where there is much of the same (docs/run-store.md). */
export const requestList = z.object({
  requests: z.array(requestRow),
  next: z.string().nullable().describe('For `before`; null: there are no more.'),
});
export type RequestList = z.infer<typeof requestList>;

export const requestDetail = z.object({
  request: requestRow,
  labels: z.array(z.string()).describe('Fidelity (docs/accounting.md), what kept bodies from being compared …'),
  pair: shownPair.nullable().describe('Null where it was not compared or its messages are no longer held; `note` says which.'),
  note: z.string().nullable(),
  replayable: z.array(z.string()).describe('Targets to which it can be sent again.'),
});
export type RequestDetail = z.infer<typeof requestDetail>;

/** `POST /api/requests/{id}/replay`: sends it to a target again, now, and answers with the answer. */
export const replayAgain = z.strictObject({ target: z.string() });
export const replayAgainAnswer = z.object({ pair: shownPair });
export type ReplayAgainAnswer = z.infer<typeof replayAgainAnswer>;
