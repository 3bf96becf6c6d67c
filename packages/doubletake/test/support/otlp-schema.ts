/**
 * The body of an export request of OTLP/HTTP in JSON, strictly: ExportMetricsServiceRequest of opentelemetry-proto 1.x
 * (collector/metrics/v1, metrics/v1) in the JSON mapping of protocol buffers, as far as it is used; nothing else may be there.
 */
import { z } from 'zod';

const fixed64 = z.string().regex(/^\d{1,20}$/);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value: z.strictObject({ stringValue: z.string().min(1) }) }));
const times = { attributes, startTimeUnixNano: fixed64, timeUnixNano: fixed64 };
const numberPoints = z.array(z.strictObject({ ...times, asDouble: z.number() })).min(1);
const histogramPoint = z
  .strictObject({ ...times, count: fixed64, sum: z.number(), bucketCounts: z.array(fixed64), explicitBounds: z.array(z.number()) })
  .refine(({ bucketCounts, explicitBounds }) => bucketCounts.length === explicitBounds.length + 1)
  .refine(({ count, bucketCounts }) => BigInt(count) === bucketCounts.reduce((sum, bucket) => sum + BigInt(bucket), 0n))
  .refine(({ explicitBounds }) => explicitBounds.every((bound, index) => bound > (explicitBounds[index - 1] ?? -Infinity)));
const described = { name: z.string().regex(/^[A-Za-z][A-Za-z0-9_./-]{0,254}$/), description: z.string(), unit: z.enum(['', '1', 's', 'By']) };
const metric = z.union([
  z.strictObject({ ...described, sum: z.strictObject({ dataPoints: numberPoints, aggregationTemporality: z.literal(2), isMonotonic: z.literal(true) }) }),
  z.strictObject({ ...described, gauge: z.strictObject({ dataPoints: numberPoints }) }),
  z.strictObject({ ...described, histogram: z.strictObject({ dataPoints: z.array(histogramPoint).min(1), aggregationTemporality: z.literal(2) }) }),
]);
export const exportRequest = z.strictObject({
  resourceMetrics: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeMetrics: z.array(z.strictObject({ scope: z.strictObject({ name: z.string(), version: z.string() }), metrics: z.array(metric) })),
    }),
  ),
});
