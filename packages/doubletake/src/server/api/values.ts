/** Values that several parts of the HTTP API share. Times are ISO 8601 in UTC, durations milliseconds, shares 0 to 1. */
import { z } from 'zod';

export const isoTime = z.string().describe('ISO 8601, UTC.');

export const share = z.number().min(0).max(1).describe('From 0 to 1.');

export const verdict = z.enum(['SAFE', 'REGRESSION', 'INSUFFICIENT']);

export const risk = z.enum(['high', 'medium', 'low']);

/** An estimate with its interval, which holds however often it is looked at. */
export const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() });

/** What must hold for SAFE; shares and ratios as plain numbers: 0.001 is 0.1 %. */
export const verdictPolicy = z.object({
  maxMismatch: z.number(),
  maxLatencyRatio: z.number(),
  maxErrorIncrease: z.number(),
  confidence: share,
  minPairs: z.number(),
});

export const quantiles = z
  .object({ p50: z.number().nullable(), p90: z.number().nullable(), p99: z.number().nullable() })
  .describe('Milliseconds; null where there is nothing to measure.');

/** Sums by name, in a tree: `{ "blocked": { "loop": 2 }, "replayed": 10 }`. */
export type CountTree = { [name: string]: number | CountTree };
export const countTree: z.ZodType<CountTree> = z
  .lazy(() => z.record(z.string(), z.union([z.number(), countTree])))
  .describe('Sums by name, in a tree.');

/** Whatever fails is answered with this. */
export const problem = z.object({
  error: z.string().describe('What is wrong and what to do, in words.'),
  code: z.string().describe('For programs, such as `DT_UNAUTHORIZED` (docs/errors.md).'),
});
export type ApiProblem = z.infer<typeof problem>;
