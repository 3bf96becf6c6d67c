/**
 * The one description of what `mirror` can be told. The command line's flags fill in this shape and are checked by it;
 * the configuration file has the same shape.
 */
import { z } from 'zod';

/** `HOST:PORT` taken apart. Port 0 lets the system choose. */
const listenSchema = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(0).max(65_535),
});

const vniSchema = z.int().min(0).max(0xff_ffff);
const portSchema = z.int().min(1).max(65_535);

const sourceSchema = z.union([
  z.strictObject({ vxlan: z.strictObject({ listen: listenSchema }) }),
  z.strictObject({ pcap: z.strictObject({ file: z.string().min(1) }) }),
]);

/** HTTP method as a token (RFC 9110 section 5.6.2), as it is compared: exactly. */
const methodSchema = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected an HTTP method');

const sampleSchema = z
  .strictObject({
    percentage: z.number().min(0).max(100).default(100),
    by: z.enum(['request', 'header', 'remote-address']).default('request'),
    header: z.string().min(1).optional(),
    salt: z.string().default('doubletake'),
  })
  .refine((sample) => (sample.by === 'header') === (sample.header !== undefined), {
    error: 'sampling by header needs the name of the header, and only it does',
  });

const targetSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'expected letters, digits, ".", "_" or "-"'),
  url: z.url({ protocol: /^https?$/ }),
  /** PEM file of the certificate authorities to trust. */
  ca: z.string().min(1).optional(),
  host: z.enum(['target', 'original']).default('target'),
  ordering: z.enum(['connection', 'none']).default('connection'),
  limits: z
    .strictObject({
      /** Open connections, and so requests in flight, of each worker. */
      inFlight: z.int().min(1).max(65_535).default(256),
      queueRequests: z.int().min(1).default(10_000),
      queueBytes: z.int().min(1).default(67_108_864),
      connectTimeoutMs: z.int().min(1).default(5_000),
      responseTimeoutMs: z.int().min(1).default(30_000),
    })
    .prefault({}),
});

function areUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

export const mirrorSchema = z.strictObject({
  sources: z
    .array(sourceSchema)
    .min(1, 'no source of traffic: give --vxlan [HOST:]PORT or --pcap FILE')
    .refine((sources) => areUnique(sources.map((source) => JSON.stringify(source))), 'the same source is given twice'),
  /** Allow list of VXLAN network identifiers; empty allows all. */
  vni: z.array(vniSchema).default([]),
  /** Server ports; empty takes every connection that carries HTTP. */
  ports: z.array(portSchema).default([]),
  mergeTunnels: z.boolean().default(false),
  policy: z
    .strictObject({
      methods: z.union([z.enum(['safe', 'all']), z.array(methodSchema).min(1)]).default('safe'),
      sample: sampleSchema.prefault({}),
    })
    .prefault({}),
  targets: z
    .array(targetSchema)
    .min(1, 'no target: give --target URL, the test environment to replay to')
    .refine((targets) => areUnique(targets.map(({ name }) => name)), 'two targets have the same name'),
  workers: z.int().min(1).max(256).default(1),
  /** How long a stop waits for requests under way. */
  drainMs: z.int().min(0).default(10_000),
  health: listenSchema.optional(),
  ledger: z.string().min(1).optional(),
});

export type MirrorConfig = z.output<typeof mirrorSchema>;
export type MirrorInput = z.input<typeof mirrorSchema>;
export type TargetConfig = MirrorConfig['targets'][number];
export type SourceConfig = MirrorConfig['sources'][number];
