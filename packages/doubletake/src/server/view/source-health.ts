/** How each source does: in a state, and in words. */
import type { z } from 'zod';
import type { SourceReport } from '../../ledger/report.ts';
import type { sourceHealth } from '../api/overview.ts';
import { recentMs, type Span } from './reading.ts';

export type SourceHealth = z.infer<typeof sourceHealth>;

/** By how the ledger calls a source, where the configuration calls it another name. */
const kinds: Readonly<Record<string, string>> = { 'http-sink': 'httpSink', files: 'recording' };

/** Kinds that end by themselves. */
const files: ReadonlySet<string> = new Set(['pcap', 'recording']);

export function sourceHealthOf(span: Span): SourceHealth[] {
  return Object.entries(span.now.ledger.sources).map(([name, source]) => {
    const prefix = name.slice(0, Math.max(0, name.indexOf(':')));
    const kind = kinds[prefix] ?? prefix;
    const grown = (count: (source: SourceReport) => number): number =>
      span.grown(({ sources }) => (sources[name] === undefined ? 0 : count(sources[name])));
    return {
      name,
      kind,
      requestsPerSecond: span.perSecond(({ sources }) => sources[name]?.captured ?? 0),
      kernelDrops: source.packets.kernelDrops,
      gapBytes: source.gaps.bytes,
      ...judged(kind, source, grown, span),
    };
  });
}

function judged(
  kind: string,
  source: SourceReport,
  grown: (count: (source: SourceReport) => number) => number,
  { ms, within }: Span,
): Pick<SourceHealth, 'state' | 'text'> {
  const unreachable = grown(({ proxy }) => proxy?.unreachable ?? 0);
  if (unreachable > 0) return { state: 'failing', text: `production could not be reached for ${unreachable} connections ${within}` };
  const drops = grown(({ packets }) => packets.kernelDrops);
  if (drops > 0) return { state: 'warning', text: `the kernel dropped ${drops} packets ${within}, before they could be read: more workers, or a larger receive buffer, help` };
  const gaps = grown((report) => report.gaps.bytes);
  if (gaps > 0) return { state: 'warning', text: `${gaps} bytes of connections were missing ${within}` };
  const refused = grown(({ sink, proxy }) => sink.refused + (proxy?.refused ?? 0));
  if (refused > 0) return { state: 'warning', text: `${refused} connections were refused ${within}, since too many were open` };
  if (source.files.total > 0 && source.files.done >= source.files.total) return { state: 'stopped', text: 'read to its end' };
  if (files.has(kind) || ms < recentMs / 2) return { state: 'ok', text: '' };
  if (source.captured === 0 && source.packets.received === 0) return { state: 'warning', text: 'nothing has arrived yet' };
  const arrived = grown(({ captured, packets }) => captured + packets.received);
  return arrived === 0 ? { state: 'warning', text: `nothing arrived ${within}` } : { state: 'ok', text: '' };
}
