/** What a source in the configuration tells; apart from its schema, so that whoever asks need not know how it is checked. */
import { type HostPort, hostPortText } from '../host-port.ts';
import type { PacketChoice, PacketSource, SourceConfig } from './source-schema.ts';

/** How a source is called in the ledger and in logs. */
export function sourceName(source: SourceConfig): string {
  if ('pcap' in source) return `pcap:${source.pcap.file}`;
  if ('files' in source) return `files:${source.files.paths.join(',')}`;
  if ('interface' in source) return `interface:${source.interface.name}`;
  if ('httpSink' in source) return `http-sink:${hostPortText(source.httpSink.listen)}`;
  if ('proxy' in source) return `proxy:${hostPortText(source.proxy.listen)}`;
  return 'vxlan' in source
    ? `vxlan:${hostPortText(source.vxlan.listen)}`
    : `geneve:${hostPortText(source.geneve.listen)}`;
}

/** Whether a source takes what comes through standard input. */
export function readsStandardInput(source: SourceConfig): boolean {
  if ('files' in source) return source.files.paths.includes('-');
  return 'pcap' in source && source.pcap.file === '-';
}

/** What makes two sources the same: the ledger's rows are named after it. */
export function sourceKey(source: SourceConfig): string {
  if ('pcap' in source) return JSON.stringify(source.pcap.file);
  if ('files' in source) return `files ${JSON.stringify(source.files.paths)}`;
  if ('interface' in source) return JSON.stringify(['interface', source.interface.name]);
  if ('httpSink' in source) return `tcp ${JSON.stringify(source.httpSink.listen)}`;
  if ('proxy' in source) return `tcp ${JSON.stringify(source.proxy.listen)}`;
  // Two tunnels cannot have one UDP port, whatever their kinds.
  return JSON.stringify('vxlan' in source ? source.vxlan.listen : source.geneve.listen);
}

/**
 * Servers that no target may be, since bytes that go there reach production: what proxies stand before, and the proxies
 * themselves, also under the names that this machine always has.
 */
export function productionBehindProxies(sources: readonly SourceConfig[]): HostPort[] {
  return sources.flatMap((source) => {
    if (!('proxy' in source)) return [];
    const { upstream, listen } = source.proxy;
    const own = listen.port === 0 ? [] : [listen.host, 'localhost', '127.0.0.1', '::1'].map((host) => ({ host, port: listen.port }));
    return [{ host: upstream.host, port: upstream.port }, ...own];
  });
}

/** Which packets a source takes. */
export function packetSettings(source: PacketSource): PacketChoice {
  if ('pcap' in source) return source.pcap;
  if ('interface' in source) return source.interface;
  return 'vxlan' in source ? source.vxlan : source.geneve;
}
