/** What EC2 says of the mirroring of its instances, from CloudWatch (traffic-mirror-cloudwatch.html). */
import type { GetMetricDataCommandOutput, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { Scope } from './clients.ts';
import { allPages, partsOf } from './pages.ts';

/** Bytes of all interfaces of an instance in the window; null where CloudWatch has no number. */
export interface MirrorMetrics {
  mirroredIn: number | null;
  mirroredOut: number | null;
  /** Matched the filter, and were not mirrored because production's own traffic came first. */
  skippedIn: number | null;
  skippedOut: number | null;
}

const names: Readonly<Record<keyof MirrorMetrics, string>> = {
  mirroredIn: 'NetworkMirrorIn',
  mirroredOut: 'NetworkMirrorOut',
  skippedIn: 'NetworkSkipMirrorIn',
  skippedOut: 'NetworkSkipMirrorOut',
};
const fields = Object.keys(names) as (keyof MirrorMetrics)[];

/** The most that GetMetricData takes. */
const queriesMax = 500;
/** EC2 publishes these every five minutes. */
const periodSeconds = 300;

/** By instance, for the `windowMs` before `nowMs` (since the epoch). AWS takes a fee for each number asked for. */
export async function readMetrics(instances: readonly string[], nowMs: number, windowMs: number, scope: Scope): Promise<Map<string, MirrorMetrics>> {
  const found = new Map(instances.map((id): [string, MirrorMetrics] => [id, { mirroredIn: null, mirroredOut: null, skippedIn: null, skippedOut: null }]));
  const asked = instances.flatMap((instance) => fields.map((field) => ({ instance, field })));
  for (const part of partsOf(asked, queriesMax)) {
    const input = {
      StartTime: new Date(nowMs - windowMs),
      EndTime: new Date(nowMs),
      MetricDataQueries: part.map(({ instance, field }, index): MetricDataQuery => ({ Id: `q${index}`, MetricStat: statistic(instance, names[field]) })),
    };
    const results = await allPages(
      (page) => scope.call('cloudwatch', 'GetMetricData', (cloudwatch, options) => cloudwatch.getMetricData({ ...input, ...page }, options)),
      (output: GetMetricDataCommandOutput) => output.MetricDataResults,
    );
    for (const { Id, Values = [] } of results) {
      const { instance, field } = part[Number(Id?.slice(1))] ?? {};
      const metrics = found.get(instance ?? '');
      if (metrics === undefined || field === undefined || Values.length === 0) continue;
      metrics[field] = (metrics[field] ?? 0) + Values.reduce((sum, value) => sum + value, 0);
    }
  }
  return found;
}

function statistic(instance: string, name: string): NonNullable<MetricDataQuery['MetricStat']> {
  return { Metric: { Namespace: 'AWS/EC2', MetricName: name, Dimensions: [{ Name: 'InstanceId', Value: instance }] }, Period: periodSeconds, Stat: 'Sum' };
}
