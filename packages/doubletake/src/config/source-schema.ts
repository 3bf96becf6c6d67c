/** Where traffic comes from, as a configuration says it. */
import { z } from 'zod';
import { type ProxyConfig, proxySchema } from './proxy-schema.ts';
import { durationSchema, listenSchema, sizeSchema, textSchema, wholeNumber } from './values.ts';

/** What every source of packets can be told about the packets to take. */
const packetChoice = {
  vni: z
    .array(wholeNumber(0, 0xff_ffff))
    .default([])
    .describe('Take only packets with these VXLAN or GENEVE network identifiers; empty takes all.'),
  ports: z
    .array(wholeNumber(1, 65_535))
    .default([])
    .describe('Take only connections to these server ports; empty takes every connection that carries HTTP.'),
  mergeTunnels: z
    .boolean()
    .default(false)
    .describe('The tunnels show the same network, so a packet seen through two of them is one packet.'),
};

const ringBytesMin = 1_048_576;
/** Places in a ring are 32-bit numbers. */
const ringBytesMax = 1_073_741_824;

const ringSchema = sizeSchema
  .refine((bytes) => bytes >= ringBytesMin && bytes <= ringBytesMax, { error: 'expected a size from 1MiB to 1GiB' })
  .prefault('32MiB')
  .describe('Memory of each worker in which the kernel puts packets, taken at start: what bridges a pause of the worker.');

const receiveSchema = z
  .enum(['socket', 'ring'])
  .default('socket')
  .describe(
    'How packets are taken from the kernel: `socket` works everywhere and needs no privilege; `ring` costs less at the ' +
      'highest rates, on Linux with CAP_NET_RAW.',
  );

const vxlanSchema = z
  .strictObject({
    listen: listenSchema
      .prefault('0.0.0.0:4789')
      .describe('UDP address and port on which packets come in. Port 0 lets the system choose one.'),
    receive: receiveSchema,
    ring: ringSchema,
    ...packetChoice,
  })
  .describe('Packets in VXLAN, as AWS VPC Traffic Mirroring sends them.');

const geneveSchema = z
  .strictObject({
    listen: listenSchema
      .prefault('0.0.0.0:6081')
      .describe('UDP address and port on which packets come in. Port 0 lets the system choose one.'),
    receive: receiveSchema,
    ring: ringSchema,
    ...packetChoice,
  })
  .describe('Packets in GENEVE, as AWS gateway load balancer endpoints and GCP packet mirroring send them.');

const interfaceSchema = z
  .strictObject({
    name: textSchema.describe('Network interface of this machine, such as `eth0`; `any` takes all of them.'),
    promiscuous: z
      .boolean()
      .default(false)
      .describe('See also what passes for other machines, as where a switch mirrors a port.'),
    tunnels: z
      .boolean()
      .default(false)
      .describe('Also open GRE, ERSPAN, IP in IP, VXLAN and GENEVE on their usual ports. One worker has this source then.'),
    ring: ringSchema,
    ...packetChoice,
  })
  .describe('What passes an interface of this machine, in both directions. Linux only, with CAP_NET_RAW.');

const pcapSchema = z
  .strictObject({
    file: textSchema.describe('Path of the file (pcap or pcapng, also gzipped); `-` is standard input.'),
    ...packetChoice,
  })
  .describe('A capture file, read as fast as the targets answer; the run ends behind its last request.');

const httpSinkSchema = z
  .strictObject({
    listen: listenSchema.describe('TCP address and port on which the copies come in. Port 0 lets the system choose one.'),
  })
  .describe('Copies of requests that a proxy sends (NGINX, Envoy, Istio, Traefik and others; docs/proxies.md), without responses.');

export type TunnelConfig = z.output<typeof vxlanSchema>;
export type InterfaceConfig = z.output<typeof interfaceSchema>;

const momentSchema = z
  .string()
  .meta({ title: 'moment' })
  .transform((text, context): Moment => {
    const behind = durationSchema.safeParse(text);
    if (behind.success) return { behindStartUs: behind.data * 1_000 };
    const ms = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(ms)) return { atUs: ms * 1_000 };
    context.addIssue({ code: 'custom', message: 'expected a time with its zone such as 2026-01-31T09:30:00Z, or how long behind the first request such as 10m' });
    return z.NEVER;
  });

/** A moment in recorded traffic, microseconds since the epoch or behind its first request. */
export type Moment = { atUs: number } | { behindStartUs: number };

const filesSchema = z
  .strictObject({
    paths: z
      .array(textSchema)
      .min(1)
      .describe('Files and folders: recordings, pcap and pcapng, GoReplay\'s `.gor`, HAR, access logs in the combined format, also gzipped; `-` is standard input. Several are replayed as one, by time.'),
    key: textSchema.min(1).optional().describe('The key of encrypted recordings, as in `record.key`.'),
    from: momentSchema.optional().describe('Leave out requests before this moment: a time with its zone, or a duration behind the first request.'),
    to: momentSchema.optional().describe('Leave out requests from this moment on.'),
    loop: wholeNumber(0, 1_000_000)
      .default(1)
      .describe('How often all is replayed, each time behind the time before; 0 goes on until it is stopped.'),
    ...packetChoice,
  })
  .superRefine(({ paths, loop }, context) => {
    if (loop === 1 || !paths.includes('-')) return;
    context.addIssue({ code: 'custom', message: 'standard input can be read but once', path: ['loop'] });
  })
  .describe('Recorded traffic, read as fast as the targets take it; the run ends behind its last request.');

export type FilesConfig = z.output<typeof filesSchema>;

/** Which packets a source takes. */
export type PacketChoice = z.output<z.ZodObject<typeof packetChoice>>;

export type SourceConfig =
  | { vxlan: TunnelConfig }
  | { geneve: TunnelConfig }
  | { interface: InterfaceConfig }
  | { pcap: z.output<typeof pcapSchema> }
  | { files: FilesConfig }
  | { httpSink: z.output<typeof httpSinkSchema> }
  | { proxy: ProxyConfig };

/** Sources of packets. */
export type PacketSource = Exclude<SourceConfig, { httpSink: unknown } | { proxy: unknown } | { files: unknown }>;

/** A mapping with exactly one of its keys, as a union that is told apart by the key. */
export const sourceSchema = z
  .strictObject({
    vxlan: vxlanSchema.optional(),
    geneve: geneveSchema.optional(),
    interface: interfaceSchema.optional(),
    pcap: pcapSchema.optional(),
    files: filesSchema.optional(),
    httpSink: httpSinkSchema.optional(),
    proxy: proxySchema.optional(),
  })
  .transform((source, context): SourceConfig => {
    const { vxlan, geneve, interface: link, pcap, files, httpSink, proxy } = source;
    const given: SourceConfig[] = [];
    if (vxlan !== undefined) given.push({ vxlan });
    if (geneve !== undefined) given.push({ geneve });
    if (link !== undefined) given.push({ interface: link });
    if (pcap !== undefined) given.push({ pcap });
    if (files !== undefined) given.push({ files });
    if (httpSink !== undefined) given.push({ httpSink });
    if (proxy !== undefined) given.push({ proxy });
    const [only] = given;
    if (only !== undefined && given.length === 1) return only;
    const message = 'expected exactly one kind of source: vxlan, geneve, interface, pcap, files, httpSink or proxy';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
