/**
 * The one description of what `mirror` can be told: the configuration file and the command line's flags fill in this
 * shape and are checked by it. The types, the JSON Schema and docs/configuration.md are made from it.
 *
 * What goes in is what users write (`MirrorInput`: "30s", "64MiB"); what comes out has units in its names
 * (`MirrorConfig`: milliseconds, bytes). Each field's description is one sentence or two with its unit.
 */
import { z } from 'zod';
import { serverOfUrl } from '../host-port.ts';
import { completeAws } from './aws-config.ts';
import { awsSchema } from './aws-schema.ts';
import { compareSchema } from './compare-schema.ts';
import { dashboardSchema } from './dashboard-schema.ts';
import { guardsSchema } from './guards-schema.ts';
import { metricsSchema } from './metrics-schema.ts';
import { policySchema } from './policy-schema.ts';
import { recordSchema } from './record-schema.ts';
import { type SourceConfig, sourceSchema } from './source-schema.ts';
import { productionBehindProxies, sourceKey } from './sources.ts';
import { type TargetConfig, targetSchema } from './target-schema.ts';
import { durationSchema, listenSchema, textSchema, wholeNumber } from './values.ts';

export type { SourceConfig, TargetConfig };

const noSource =
  'no source of traffic: give --vxlan [HOST:]PORT, --geneve [HOST:]PORT, --interface IF, --http-sink [HOST:]PORT, --proxy [HOST:]PORT=URL or --pcap FILE';
const noTarget = 'no target: give --target URL, the test environment to replay to, or --record DIR';

/** Says `message` where the value is not there at all. */
const whenMissing = (message: string) => ({ error: ({ input }: { input?: unknown }) => (input === undefined ? message : undefined) });

export const mirrorSchema = z
  .strictObject({
    sources: z
      .array(sourceSchema, whenMissing(noSource))
      .min(1, noSource)
      .superRefine((sources, context) =>
        refuseTwice(sources.map(sourceKey), context, (index) => [index], 'the same source is given twice'),
      )
      .describe('Where traffic comes from; each has exactly one of the keys below.'),
    policy: policySchema.prefault({}).describe('Which requests may be replayed, and in which form.'),
    targets: z
      .array(targetSchema)
      .superRefine((targets, context) =>
        refuseTwice(targets.map(({ name }) => name), context, (index) => [index, 'name'], 'two targets have the same name'),
      )
      .prefault([])
      .describe('The test environments; each gets the requests that the policy lets through, or what it takes of them. May be absent where `record` is there.'),
    compare: compareSchema
      .optional()
      .describe('Compare what the candidate answers with what production answered (docs/comparing.md); absent, nothing is compared.'),
    run: textSchema
      .optional()
      .describe('Folder of a run, made anew, to which the comparison is written and from which `doubletake report` reads it; `{{time}}` in it is the time of the start, so that a service may be started again. With it alone, the defaults of `compare` hold.'),
    record: recordSchema
      .optional()
      .describe('Record what the policy lets through, made safe, with production\'s responses (docs/recording.md); absent, nothing is recorded.'),
    aws: awsSchema
      .optional()
      .describe('Traffic mirroring on AWS: what `doubletake aws` makes and keeps true (docs/aws.md); absent, that is done by hand.'),
    guards: guardsSchema.prefault({}).describe('What keeps replay away from production.'),
    workers: wholeNumber(1, 256).default(1).describe('Worker threads; one serves about 20,000 requests/s.'),
    drain: durationSchema.prefault('10s').describe('How long a stop waits for the requests under way.'),
    health: listenSchema
      .optional()
      .describe('Address and port that answer `GET /healthz` for a load balancer and `GET /metrics` for Prometheus; absent, there is none.'),
    metrics: metricsSchema.optional().describe('Where metrics (docs/metrics.md) are sent, besides being there to be fetched.'),
    dashboard: dashboardSchema
      .optional()
      .describe('The dashboard and its HTTP API (docs/dashboard.md); absent, there is none.'),
    control: textSchema
      .optional()
      .describe('Path of a Unix socket (on Windows a named pipe) on which `doubletake control` stops and resumes replay and sets percentages; only the user who runs the mirror may open it.'),
    ledger: textSchema.optional().describe('File to which the ledger is written as JSON at exit, and on SIGUSR2.'),
  })
  .refine(({ targets, record }) => targets?.length !== 0 || record !== undefined, {
    error: noTarget,
    path: ['targets'],
    // Also beside other mistakes, so that all are told at once.
    when: () => true,
  })
  .refine(({ targets, record, compare, run }) => targets.length > 0 || record === undefined || compare !== undefined || run === undefined, {
    error: 'there is no target whose answers could be compared',
    path: ['run'],
  })
  .superRefine(({ sources, targets }, context) => {
    const production = productionBehindProxies(sources);
    targets.forEach(({ url }, index) => {
      const { host, port } = serverOfUrl(new URL(url));
      if (!production.some((server) => server.host === host && server.port === port)) return;
      context.addIssue({ code: 'custom', message: 'this is production: a proxy stands before it; give the test environment\'s address', path: ['targets', index, 'url'] });
    });
  })
  .superRefine(({ compare, targets }, context) => {
    for (const key of ['baseline', 'reference'] as const) {
      const name = compare?.[key];
      if (name === undefined || (key === 'baseline' && name === 'production') || targets.some((target) => target.name === name)) continue;
      const names = targets.map((target) => target.name).join(', ');
      context.addIssue({ code: 'custom', message: `there is no target ${name}; there is ${names}`, path: ['compare', key] });
    }
    if (compare !== undefined && targets.every(({ name }) => name === compare.baseline || name === compare.reference)) {
      context.addIssue({ code: 'custom', message: 'no target is left to be the candidate', path: ['compare'] });
    }
  })
  .transform(({ drain, compare, aws, ...config }, context) => {
    const tunnels = config.sources.flatMap((source) => ('vxlan' in source ? [source.vxlan] : []));
    const side = {
      ports: [...new Set(tunnels.flatMap(({ ports }) => ports))],
      vni: tunnels.flatMap(({ vni }) => vni).at(0) ?? null,
      responses: compare !== undefined || config.run !== undefined || config.record !== undefined,
    };
    return {
      ...config,
      aws: aws && completeAws(aws, side, (path, message) => context.addIssue({ code: 'custom', message, path: ['aws', ...path] })),
      // A run is written for what is compared.
      compare: compare ?? (config.run === undefined ? undefined : compareSchema.parse({})),
      drainMs: drain,
    };
  });

function refuseTwice(
  names: readonly string[],
  context: z.RefinementCtx,
  path: (index: number) => (string | number)[],
  message: string,
): void {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) context.addIssue({ code: 'custom', message, path: path(index) });
  }
}

export type MirrorConfig = z.output<typeof mirrorSchema>;

/** A file that says nothing of a mirror, for `doubletake aws` alone. */
export const awsOnlySchema = z
  .strictObject({ aws: awsSchema })
  .transform(({ aws }, context) => ({
    aws: completeAws(aws, { ports: [], vni: null, responses: null }, (path, message) => context.addIssue({ code: 'custom', message, path: ['aws', ...path] })),
  }));
