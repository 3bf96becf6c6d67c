/**
 * What a target is spared, as a configuration says it: bounds, the circuit breaker, and the ramp. What comes out fits the
 * options of the classes in `replay/`: rates and shares from 0 to 1, times in milliseconds.
 */
import { z } from 'zod';
import { durationSchema, percentageSchema, sizeSchema, wholeNumber } from './values.ts';

const requestsPerSecondMax = 1_000_000;
const burstMax = 1_000_000;
const stepsMax = 100;

const expectedRate = `expected a number above 0, at most ${requestsPerSecondMax}`;

/** `targets[].limits`. */
export const limitsSchema = z
  .strictObject({
    requestsPerSecond: z
      .number({ error: expectedRate })
      .gt(0, { error: expectedRate })
      .max(requestsPerSecondMax, { error: expectedRate })
      .optional()
      .describe('Requests per second, of all workers together; what comes faster is dropped and counted, and a file waits. Absent: no limit.'),
    burst: wholeNumber(1, burstMax)
      .optional()
      .describe('Requests that may go at once after a pause, before `requestsPerSecond` holds; absent, what comes in a tenth of a second.'),
    inFlight: wholeNumber(1, 65_535)
      .default(256)
      .describe('Requests in flight at once, shared out evenly among the workers.'),
    connections: wholeNumber(1, 65_535)
      .optional()
      .describe('Connections open at once, shared out evenly among the workers; absent, as many as `inFlight`, and fewer are a bound on that too.'),
    queueRequests: wholeNumber(1, 10_000_000)
      .default(10_000)
      .describe('Requests that wait for a connection, for their turn or for their time, shared out evenly among the workers; the newest beyond are dropped and counted.'),
    queueBytes: sizeSchema
      .prefault('64MiB')
      .describe('Bytes of the requests that wait or are in flight, shared out evenly among the workers; what is beyond is dropped and counted.'),
    connectTimeout: durationSchema
      .prefault('5s')
      .describe('Give up a connection that is not open after this long, with name lookup and TLS handshake.'),
    responseTimeout: durationSchema
      .prefault('30s')
      .describe('Give up a request that the target has not answered whole after this long.'),
  })
  .superRefine(({ requestsPerSecond, burst }, context) => {
    if (burst === undefined || requestsPerSecond !== undefined) return;
    context.addIssue({ code: 'custom', message: 'a burst goes with requestsPerSecond', path: ['burst'] });
  })
  .transform(({ connectTimeout, responseTimeout, ...limits }) => ({
    ...limits,
    connectTimeoutMs: connectTimeout,
    responseTimeoutMs: responseTimeout,
  }));

/** A percentage as a number from 0 to 1. */
const shareSchema = percentageSchema.transform((percentage) => percentage / 100);

const shareAboveZero = shareSchema.refine((share) => share > 0, { error: 'expected a percentage above 0' });

const breakerMapping = z
  .strictObject({
    errorRate: shareAboveZero
      .prefault(50)
      .describe('Open when this percentage of the requests in the window fails: no whole answer, or 502, 503 or 504.'),
    slowerThan: durationSchema
      .optional()
      .describe('An answer that takes longer than this is slow; absent, none is.'),
    slowRate: shareAboveZero.prefault(50).describe('Open when this percentage of the requests in the window is slow.'),
    requestsMin: wholeNumber(1, 1_000_000)
      .default(50)
      .describe('With fewer requests in the window it stays closed; each worker counts its own.'),
    window: durationSchema.prefault('10s').describe('How far back requests are looked at.'),
    openFor: durationSchema
      .prefault('5s')
      .describe('How long no requests go out once it is open; this doubles each time that a request sent to try the target fails.'),
    openForMax: durationSchema.prefault('60s').describe('The longest such pause.'),
    probes: wholeNumber(1, 1_000)
      .default(3)
      .describe('Requests sent to try the target after a pause; when all succeed, the breaker closes.'),
    filesWait: durationSchema
      .prefault('10m')
      .describe('How long files wait for it to close; after that their requests are dropped and counted, too.'),
  })
  .refine(({ openFor, openForMax }) => openFor <= openForMax, {
    error: 'expected openForMax to be at least openFor',
    path: ['openForMax'],
  })
  .transform(({ slowerThan, window, openFor, openForMax, filesWait, ...rest }) => ({
    ...rest,
    slowerThanMs: slowerThan ?? null,
    windowMs: window,
    openMs: openFor,
    openMsMax: openForMax,
    filesWaitMs: filesWait,
  }));

/** `targets[].breaker`; null for none. */
export const breakerSchema = z
  .union([z.literal(false).transform(() => null), breakerMapping])
  .prefault({})
  .describe('The circuit breaker: requests to a target that fails or is slow are dropped and counted, and a file waits, until it is well again. `false` for none.');

/** Bounds on what is seen of a target, with the defaults of those that have one. */
function boundsSchema(errorRate: number, queueShare: number) {
  return z
    .strictObject({
      errorRate: shareSchema.prefault(errorRate).describe('Percentage of the requests that fail or are answered with 5xx.'),
      latency: durationSchema.optional().describe('The 99th percentile of the latency; absent, it does not count.'),
      queueShare: shareSchema.prefault(queueShare).describe('Percentage of `limits.queueRequests` that is taken.'),
    })
    .transform(({ latency, ...rest }) => ({ ...rest, latencyMs: latency ?? null }))
    .prefault({});
}

const stepSchema = z
  .strictObject({
    percentage: percentageSchema.describe('The target\'s share on this step, as in `percentage`.'),
    for: durationSchema.optional().describe('How long at least until the next step; the last step needs none.'),
  })
  .transform(({ percentage, for: forMs }) => ({ percentage, forMs: forMs ?? null }));

const stepsSchema = z
  .array(stepSchema)
  .min(1)
  .max(stepsMax)
  .superRefine((steps, context) => {
    for (const [index, { percentage, forMs }] of steps.entries()) {
      const before = steps[index - 1];
      if (before !== undefined && before.percentage >= percentage) {
        const message = `expected a percentage above that of the step before, ${before.percentage}`;
        context.addIssue({ code: 'custom', message, path: [index, 'percentage'] });
      }
      if (forMs === null && index < steps.length - 1) {
        context.addIssue({ code: 'custom', message: 'expected how long the step lasts, such as 10m', path: [index, 'for'] });
      }
    }
  });

/** `targets[].ramp`. */
export const rampSchema = z
  .strictObject({
    steps: stepsSchema.describe('The steps, each with a higher percentage than the one before.'),
    goOn: boundsSchema(1, 25).describe('To the next step it goes only while everything is within these bounds.'),
    fallBack: boundsSchema(5, 50).describe('When anything is beyond these bounds it falls back at once.'),
    fallBackTo: z
      .enum(['previous', 'first'])
      .default('previous')
      .describe('To which step it falls back; the time of that step doubles when it falls again.'),
    requestsMin: wholeNumber(1, 1_000_000)
      .default(100)
      .describe('With fewer requests in the window nothing is concluded from them.'),
    window: durationSchema.prefault('30s').describe('How far back requests are looked at.'),
  })
  .superRefine(({ goOn, fallBack }, context) => {
    for (const [name, key] of [['errorRate', 'errorRate'], ['latency', 'latencyMs'], ['queueShare', 'queueShare']] as const) {
      const most = fallBack[key];
      if (most === null || (goOn[key] ?? 0) <= most) continue;
      context.addIssue({ code: 'custom', message: `expected at most the ${name} at which it falls back`, path: ['goOn', name] });
    }
  })
  .transform(({ window, ...rest }) => ({ ...rest, windowMs: window }))
  .describe('Raise the target\'s share step by step while it does well, and lower it when it does not.');
