/** The export of metrics that the configuration asks for (`metrics.otlp`). */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { MirrorConfig } from '../../config/schema.ts';
import { version } from '../../version.ts';
import type { Metrics } from './metrics.ts';
import { OtlpExporter, type OtlpEvents } from './otlp-exporter.ts';

/** Begins to export; null where none is asked for. */
export function startExport({ metrics: options }: MirrorConfig, metrics: Metrics, events: OtlpEvents): OtlpExporter | null {
  if (options?.otlp === undefined) return null;
  const attributes = {
    'service.name': 'doubletake',
    'service.version': version(),
    'service.instance.id': randomUUID(),
    'host.name': hostname(),
  };
  return new OtlpExporter(
    { ...options.otlp, resource: { attributes, version: version() }, startMs: Math.round(performance.timeOrigin) },
    () => metrics.families(),
    events,
  );
}
