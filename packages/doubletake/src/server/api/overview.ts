/** Everything that is seen at a glance: `GET /api/overview`, and each second as the event `overview` of `GET /api/events`. */
import { z } from 'zod';
import { countTree, estimate, isoTime, quantiles, share, verdict, verdictPolicy } from './values.ts';

const health = z.object({
  state: z.enum(['ok', 'warning', 'failing', 'stopped']),
  text: z.string().describe('In words; empty while all is well.'),
});

export const sourceHealth = health.extend({
  name: z.string(),
  kind: z.string().describe('`vxlan`, `geneve`, `interface`, `httpSink`, `proxy`, `pcap`, `recording` …'),
  requestsPerSecond: z.number(),
  kernelDrops: z.number(),
  gapBytes: z.number(),
});

export const targetHealth = health.extend({
  name: z.string(),
  url: z.string().describe('Without credentials.'),
  role: z.enum(['candidate', 'baseline', 'reference', 'other']),
  /** Of the requests that the policy lets through, what it gets now. */
  percentage: z.number(),
  /** Set by hand, by its ramp, or by the configuration. */
  percentageBy: z.enum(['hand', 'ramp', 'configuration']),
  ramp: z
    .object({
      step: z.number().int().describe('From 0.'),
      steps: z.array(z.object({ percentage: z.number(), forMs: z.number().nullable() })),
      state: z.enum(['rising', 'held', 'backed_off', 'done']),
    })
    .nullable(),
  requestsPerSecond: z.number(),
  errorShare: share.describe('Of the last seconds: failed or 5xx.'),
  latencyMs: quantiles.describe('Of the last seconds.'),
  queued: z.number(),
  circuit: z.enum(['closed', 'open']),
});
export type TargetHealth = z.infer<typeof targetHealth>;

/** A step of the way from packets to outcomes; `parts` add up to `total`. */
export const flowStage = z.object({
  name: z.string().describe('`packets`, `requests`, or `target NAME`.'),
  total: z.number(),
  parts: z.array(
    z.object({
      name: z.string().describe('`used`, `ignored`, `replayed`, `blocked`, `in flight` …'),
      count: z.number(),
      /** By reason, where there are several: `{ "method": 3, "loop": 1 }`. */
      detail: countTree.nullable(),
    }),
  ),
  adds: z.boolean().describe('Whether the parts add up to the total.'),
});

export const comparisonSummary = z.object({
  verdict,
  policy: verdictPolicy,
  reasons: z.array(z.string()),
  pairs: z.number(),
  mismatches: z.number(),
  mismatch: estimate.nullable().describe('Share of all pairs that differ beyond noise.'),
  pairsNeeded: z.number().nullable(),
  from: isoTime.nullable(),
  to: isoTime.nullable(),
  clusters: z.object({ high: z.number(), medium: z.number(), low: z.number() }),
  excluded: countTree,
  warnings: z.array(z.string()),
});

export const overview = z.object({
  time: isoTime,
  startedAt: isoTime,
  mode: z.enum(['live', 'finished']),
  /** Why packets cannot flow through to an outcome now; null while they can. */
  problem: z.string().nullable(),
  replay: z.enum(['running', 'stopped']),
  comparison: comparisonSummary.nullable().describe('Null when nothing is compared.'),
  rates: z.object({
    captured: z.number().describe('Requests a second, of the last seconds.'),
    replayed: z.number(),
    packets: z.number(),
  }),
  production: z.object({ errorShare: share, latencyMs: quantiles.describe('Of the last seconds.') }),
  flow: z.array(flowStage),
  sources: z.array(sourceHealth),
  targets: z.array(targetHealth),
});
export type Overview = z.infer<typeof overview>;

/** One moment of what is drawn over time; each also comes as the event `point`. */
export const historyPoint = z.object({
  t: z.number().describe('Seconds since the epoch, at the end of the span.'),
  captured: z.number().describe('Requests a second.'),
  replayed: z.number(),
  lost: z.number().describe('Dropped, failed or incomplete, a second.'),
  /** Shares of the pairs compared in the span; null where there was none. */
  match: share.nullable(),
  productionErrors: share.nullable(),
  candidateErrors: share.nullable(),
  production: quantiles,
  candidate: quantiles,
});
export type HistoryPoint = z.infer<typeof historyPoint>;

/** `GET /api/history?seconds=900`: at most 1,000 points, the oldest first. */
export const history = z.object({ everyMs: z.number(), points: z.array(historyPoint) });
export type History = z.infer<typeof history>;
