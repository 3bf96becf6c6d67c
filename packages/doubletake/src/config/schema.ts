/**
 * The one description of what `mirror` can be told: the configuration file and the command line's flags fill in this
 * shape and are checked by it. The types, the JSON Schema and docs/configuration.md are made from it.
 *
 * What goes in is what users write (`MirrorInput`: "30s", "64MiB"); what comes out has units in its names
 * (`MirrorConfig`: milliseconds, bytes). Each field's description is one sentence or two with its unit.
 */
import { z } from 'zod';
import { policySchema } from './policy-schema.ts';
import { durationSchema, listenSchema, sizeSchema, targetUrlSchema, textSchema, wholeNumber } from './values.ts';

/** What every source of packets can be told about the packets to take. */
const packetChoice = {
  vni: z
    .array(wholeNumber(0, 0xff_ffff))
    .default([])
    .describe('Take only packets with these VXLAN network identifiers; empty takes all.'),
  ports: z
    .array(wholeNumber(1, 65_535))
    .default([])
    .describe('Take only connections to these server ports; empty takes every connection that carries HTTP.'),
  mergeTunnels: z
    .boolean()
    .default(false)
    .describe('The tunnels show the same network, so a packet seen through two of them is one packet.'),
};

const vxlanSchema = z
  .strictObject({
    listen: listenSchema
      .prefault('0.0.0.0:4789')
      .describe('UDP address and port on which packets come in. Port 0 lets the system choose one.'),
    ...packetChoice,
  })
  .describe('Packets in VXLAN, as AWS VPC Traffic Mirroring sends them.');

const pcapSchema = z
  .strictObject({
    file: textSchema.describe('Path of the file (pcap or pcapng, also gzipped); `-` is standard input.'),
    ...packetChoice,
  })
  .describe('A capture file, read as fast as the targets answer; the run ends behind its last request.');

export type SourceConfig = { vxlan: z.output<typeof vxlanSchema> } | { pcap: z.output<typeof pcapSchema> };

/** A mapping with exactly one of its keys, as a union that is told apart by the key. */
const sourceSchema = z
  .strictObject({ vxlan: vxlanSchema.optional(), pcap: pcapSchema.optional() })
  .transform((source, context): SourceConfig => {
    const { vxlan, pcap } = source;
    if (vxlan !== undefined && pcap === undefined) return { vxlan };
    if (pcap !== undefined && vxlan === undefined) return { pcap };
    context.addIssue({ code: 'custom', message: 'expected exactly one kind of source: vxlan or pcap' });
    return z.NEVER;
  });

const limitsSchema = z
  .strictObject({
    inFlight: wholeNumber(1, 65_535)
      .default(256)
      .describe('Connections open at once, and so requests in flight, of each worker.'),
    queueRequests: wholeNumber(1, 10_000_000)
      .default(10_000)
      .describe('Requests that wait for a connection or for their turn, of each worker; the newest beyond are dropped and counted.'),
    queueBytes: sizeSchema
      .prefault('64MiB')
      .describe('Bytes of the requests that wait or are in flight, of each worker; what is beyond is dropped and counted.'),
    connectTimeout: durationSchema
      .prefault('5s')
      .describe('Give up a connection that is not open after this long, with name lookup and TLS handshake.'),
    responseTimeout: durationSchema
      .prefault('30s')
      .describe('Give up a request that the target has not answered whole after this long.'),
  })
  .transform(({ connectTimeout, responseTimeout, ...limits }) => ({
    ...limits,
    connectTimeoutMs: connectTimeout,
    responseTimeoutMs: responseTimeout,
  }));

const targetSchema = z.strictObject({
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
  limits: limitsSchema.prefault({}).describe('What the target is spared, and what memory its requests may take.'),
});

const noSource = 'no source of traffic: give --vxlan [HOST:]PORT or --pcap FILE';
const noTarget = 'no target: give --target URL, the test environment to replay to';

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
      .array(targetSchema, whenMissing(noTarget))
      .min(1, noTarget)
      .superRefine((targets, context) =>
        refuseTwice(targets.map(({ name }) => name), context, (index) => [index, 'name'], 'two targets have the same name'),
      )
      .describe('The test environments; each gets every request that the policy lets through.'),
    workers: wholeNumber(1, 256).default(1).describe('Worker threads; one serves about 20,000 requests/s.'),
    drain: durationSchema.prefault('10s').describe('How long a stop waits for the requests under way.'),
    health: listenSchema
      .optional()
      .describe('Address and port that answer `GET /healthz` for a load balancer; absent, there is none.'),
    ledger: textSchema.optional().describe('File to which the ledger is written as JSON at exit, and on SIGUSR2.'),
  })
  .transform(({ drain, ...config }) => ({ ...config, drainMs: drain }));

/** What makes two sources the same: the ledger's rows are named after it. */
function sourceKey(source: SourceConfig): string {
  return JSON.stringify('pcap' in source ? source.pcap.file : source.vxlan.listen);
}

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
export type TargetConfig = MirrorConfig['targets'][number];
