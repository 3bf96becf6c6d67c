/** Where traffic comes from, as a configuration says it. */
import { z } from 'zod';
import { type ProxyConfig, proxySchema } from './proxy-schema.ts';
import { listenSchema, textSchema, wholeNumber } from './values.ts';

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

const httpSinkSchema = z
  .strictObject({
    listen: listenSchema.describe('TCP address and port on which the copies come in. Port 0 lets the system choose one.'),
  })
  .describe('Copies of requests that a proxy sends (NGINX, Envoy, Istio, Traefik and others; docs/proxies.md), without responses.');

export type SourceConfig =
  | { vxlan: z.output<typeof vxlanSchema> }
  | { pcap: z.output<typeof pcapSchema> }
  | { httpSink: z.output<typeof httpSinkSchema> }
  | { proxy: ProxyConfig };

/** A mapping with exactly one of its keys, as a union that is told apart by the key. */
export const sourceSchema = z
  .strictObject({
    vxlan: vxlanSchema.optional(),
    pcap: pcapSchema.optional(),
    httpSink: httpSinkSchema.optional(),
    proxy: proxySchema.optional(),
  })
  .transform((source, context): SourceConfig => {
    const { vxlan, pcap, httpSink, proxy } = source;
    const given = [
      ...(vxlan === undefined ? [] : [{ vxlan }]),
      ...(pcap === undefined ? [] : [{ pcap }]),
      ...(httpSink === undefined ? [] : [{ httpSink }]),
      ...(proxy === undefined ? [] : [{ proxy }]),
    ];
    if (given.length === 1 && given[0] !== undefined) return given[0];
    context.addIssue({ code: 'custom', message: 'expected exactly one kind of source: vxlan, pcap, httpSink or proxy' });
    return z.NEVER;
  });

/** What makes two sources the same: the ledger's rows are named after it. */
export function sourceKey(source: SourceConfig): string {
  if ('pcap' in source) return JSON.stringify(source.pcap.file);
  if ('vxlan' in source) return JSON.stringify(source.vxlan.listen);
  return `tcp ${JSON.stringify('proxy' in source ? source.proxy.listen : source.httpSink.listen)}`;
}

/**
 * Servers that no target may be, since bytes that go there reach production: what proxies stand before, and the proxies
 * themselves, also under the names that this machine always has.
 */
export function productionBehindProxies(sources: readonly SourceConfig[]): { host: string; port: number }[] {
  return sources.flatMap((source) => {
    if (!('proxy' in source)) return [];
    const { upstream, listen } = source.proxy;
    const own = listen.port === 0 ? [] : [listen.host, 'localhost', '127.0.0.1', '::1'].map((host) => ({ host, port: listen.port }));
    return [{ host: upstream.host, port: upstream.port }, ...own];
  });
}
