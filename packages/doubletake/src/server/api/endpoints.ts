/** What each endpoint came to: `GET /api/endpoints`. */
import { z } from 'zod';
import { estimate, quantiles, share, verdict } from './values.ts';

export const endpointRow = z.object({
  endpoint: z.string().describe('`GET /users/{id}`.'),
  pairs: z.number(),
  share: share.describe('Of all pairs.'),
  mismatches: z.number(),
  mismatch: estimate.nullable(),
  errors: z.object({ baselineOnly: z.number(), candidateOnly: z.number(), both: z.number() }),
  latencyRatio: z.object({ p50: estimate.nullable(), p90: estimate.nullable(), p99: estimate.nullable() }),
  latencyMs: z.object({ baseline: quantiles, candidate: quantiles }),
  clusters: z.number().describe('Differences that count, below /api/clusters.'),
  verdict,
  reason: z.string(),
  pairsNeeded: z.number().nullable(),
});
export type EndpointRow = z.infer<typeof endpointRow>;

export const endpointList = z.object({ endpoints: z.array(endpointRow) });
export type EndpointList = z.infer<typeof endpointList>;
