/** A test environment to which requests are replayed, as a configuration says it. */
import { z } from 'zod';
import { filterSchema } from './filter-schema.ts';
import { credentialsSchema, idempotencyKeySchema, rewriteSchema } from './rewrite-schema.ts';
import { breakerSchema, limitsSchema, rampSchema } from './target-limits-schema.ts';
import { percentageSchema, targetUrlSchema, textSchema, wholeNumber } from './values.ts';

const speedMax = 1_000;

const speedSchema = z
  .number({ error: `expected a number above 0, at most ${speedMax}` })
  .gt(0, { error: `expected a number above 0, at most ${speedMax}` })
  .max(speedMax, { error: `expected a number above 0, at most ${speedMax}` });

const rateMax = 1_000_000;
const expectedRate = `expected a number above 0, at most ${rateMax}`;
const rateSchema = z.number({ error: expectedRate }).gt(0, { error: expectedRate }).max(rateMax, { error: expectedRate });

export const targetSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error: 'expected letters, digits, ".", "_" or "-"' })
      .describe('The name in logs and in the ledger; each target has its own.'),
    url: targetUrlSchema.describe('Where requests go: `http://` or `https://`, host, port; a path goes before the path of every request.'),
    ca: textSchema.optional().describe('Trust the certificate authorities in this PEM file, instead of the system\'s.'),
    host: z
      .enum(['target', 'original'])
      .default('target')
      .describe('Which Host header goes out: the target\'s own, or the one that production saw.'),
    ordering: z
      .enum(['connection', 'none'])
      .default('connection')
      .describe('Requests of one production connection keep their order and do not overlap, or they may.'),
    percentage: percentageSchema
      .prefault(100)
      .describe('The share of the requests that the policy lets through which this target takes; who is in is decided as in `policy.sample`.'),
    ramp: rampSchema.optional(),
    filters: filterSchema.describe('Rules of this target alone, as in `policy.filters`, for requests that the policy lets through.'),
    rewrite: rewriteSchema,
    credentials: credentialsSchema.optional(),
    idempotencyKey: idempotencyKeySchema,
    limits: limitsSchema.prefault({}).describe('What the target is spared, and what memory its requests may take; in all, shared out evenly among the workers.'),
    breaker: breakerSchema,
    speed: speedSchema
      .optional()
      .describe('Keep the timing of the capture, at this multiple of its speed: 1 as it was, 0.5 in twice the time. Absent: requests go as soon as they come. Live traffic comes at speed 1, so only what is read from files can be faster.'),
    rate: rateSchema
      .optional()
      .describe('Send at so many requests a second, evenly and in their order, whatever the timing of the capture: for what is read from files. With `multiply`, the copies count too.'),
    multiply: wholeNumber(1, 100)
      .default(1)
      .describe('Replay every session this often at once, each copy as a session of its own: with connections, ids and, where requests are sanitized, people of its own.'),
  })
  .superRefine((target, context) => {
    if (target.speed !== undefined && target.rate !== undefined) {
      context.addIssue({ code: 'custom', message: 'a target has a speed or a rate, not both', path: ['rate'] });
    }
    if (target.ramp !== undefined && target.percentage !== 100) {
      context.addIssue({ code: 'custom', message: 'a target has a percentage or a ramp, not both', path: ['percentage'] });
    }
  });

export type TargetConfig = z.output<typeof targetSchema>;
