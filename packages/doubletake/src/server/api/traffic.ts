/** What arrives, and what of it is used: `GET /api/traffic`. */
import { z } from 'zod';
import { sourceHealth } from './overview.ts';
import { countTree } from './values.ts';

export const trafficSource = sourceHealth.extend({
  packets: z.object({
    received: z.number(),
    used: z.number(),
    ignored: countTree,
    malformed: countTree,
    kernelDrops: z.number(),
    fragmentsGivenUp: z.number(),
  }),
  connections: z.number(),
  captured: z.number(),
  outcomes: countTree,
  inFlight: z.number(),
  gaps: z.object({ count: z.number(), bytes: z.number() }),
  skippedBytes: z.number(),
  other: countTree.describe('Connections that are not HTTP/1, by protocol.'),
  production: z.object({ responses: countTree, orphans: z.number() }),
  fidelity: countTree,
});

export const traffic = z.object({
  sources: z.array(trafficSource),
  recording: z
    .object({ exchanges: z.number(), bytes: z.number(), dropped: z.number(), failed: z.number() })
    .nullable(),
});
export type Traffic = z.infer<typeof traffic>;
