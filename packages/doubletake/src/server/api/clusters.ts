/** Differences by their cause: `GET /api/clusters`, `GET /api/clusters/{id}`. */
import { z } from 'zod';
import { isoTime, quantiles, risk, share } from './values.ts';

export const differenceKind = z.enum(['status', 'failure', 'value', 'type', 'missing', 'extra', 'length', 'order', 'malformed']);

export const clusterRow = z.object({
  id: z.string(),
  endpoint: z.string(),
  path: z.string().describe('`$.items[*].price`, `status`, `header:etag`.'),
  kind: differenceKind,
  transition: z.string().nullable().describe('`200 -> 500`, `number -> string`.'),
  count: z.number(),
  share: share.describe("Of the endpoint's pairs."),
  risk,
  cause: z.string().describe('In words: `the field is gone`.'),
  origin: z.enum(['code', 'state']),
  significant: z.boolean().describe('Beyond noise, or not known yet.'),
  accepted: z.boolean().describe('Accepted by hand: it counts no more.'),
  firstSeen: isoTime,
  from: z.string().nullable().describe('The values of an example.'),
  to: z.string().nullable(),
});
export type ClusterRow = z.infer<typeof clusterRow>;

/** The query of `GET /api/clusters`; what is absent does not matter. */
export const clusterQuery = z.strictObject({
  endpoint: z.string().max(1_000).optional(),
  risk: risk.optional(),
  q: z.string().max(200).optional().describe('Text in endpoint, path, kind, cause or the values of an example.'),
});
export type ClusterQuery = z.infer<typeof clusterQuery>;

/** `GET /api/clusters`: the weightiest first; at most 10,000. */
export const clusterList = z.object({
  hidden: z.string().nullable().describe('Why `from` and `to` are not shown; null when they are.'),
  clusters: z.array(clusterRow),
});
export type ClusterList = z.infer<typeof clusterList>;

/** A message as it was compared. What is not sanitized is not shown: then `hidden` says why, and headers and body are empty. */
export const shownMessage = z.object({
  /** `GET /x HTTP/1.1` or `200`; or the failure, such as `timeout`. */
  start: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.object({
    /** Decoded to text where that can be done; JSON is laid out with two spaces. */
    text: z.string().nullable(),
    language: z.enum(['json', 'xml', 'html', 'form', 'text', 'binary']),
    bytes: z.number().describe('Whole length.'),
    cut: z.boolean().describe('There is more than is here.'),
  }),
});
export type ShownMessage = z.infer<typeof shownMessage>;

export const shownDifference = z.object({
  kind: differenceKind,
  path: z.string(),
  place: z.string().describe('With indexes and keys: `$.items[3].price`.'),
  cluster: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});

/** A request with what both versions answered. */
export const shownPair = z.object({
  id: z.string(),
  time: isoTime,
  endpoint: z.string(),
  method: z.string(),
  target: z.string().describe('Path and query as replayed.'),
  request: shownMessage,
  baseline: shownMessage.nullable(),
  candidate: shownMessage.nullable(),
  differences: z.array(shownDifference),
  timing: z.object({
    baseline: z.object({ firstByteMs: z.number(), totalMs: z.number() }).nullable(),
    candidate: z.object({ firstByteMs: z.number(), totalMs: z.number() }).nullable(),
  }),
  curl: z.string().describe('A command that sends the request to the candidate again.'),
  hidden: z.string().nullable().describe('Why contents are not shown; null when they are.'),
});
export type ShownPair = z.infer<typeof shownPair>;

export const clusterDetail = z.object({
  cluster: clusterRow,
  examples: z.array(shownPair).describe('At most three.'),
  /** By the minute in which pairs with it were seen, of those stored. */
  timeline: z.array(z.object({ t: z.number(), count: z.number() })),
  latencyMs: z.object({ baseline: quantiles, candidate: quantiles }).nullable(),
  /** A rule that would hide it, to begin with. */
  suggestedRule: z.object({ name: z.string(), endpoint: z.string(), path: z.string() }),
});
export type ClusterDetail = z.infer<typeof clusterDetail>;

/** `PUT /api/clusters/{id}/accepted` and `DELETE` of the same; both answer with `changed`. */
export const acceptance = z.strictObject({ note: z.string().max(500).default('') });
