/**
 * Metrics as an export request of OTLP/HTTP in JSON: protocol buffers' JSON mapping of `ExportMetricsServiceRequest`
 * (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): 64-bit integers as text, enumerations as numbers.
 */
import type { HistogramSample, Labels, MetricFamily, Sample, Unit } from './family.ts';

export interface OtlpResource {
  /** `service.name` and what else says who sends. */
  attributes: Labels;
  version: string;
}

/** What the numbers are about: counts since `startMs`, read at `timeMs`, both since the epoch. */
export interface OtlpSpan {
  startMs: number;
  timeMs: number;
}

/** Since the start of the program. */
const cumulative = 2;

/** Units of UCUM. */
const units: Readonly<Record<Unit, string>> = { seconds: 's', bytes: 'By', ratio: '1', '': '' };

/** The request's body, to be sent as JSON. Counters have no `_total`: what reads them adds it where it wants it. */
export function otlpRequest(families: readonly MetricFamily[], { attributes, version }: OtlpResource, span: OtlpSpan): object {
  const metrics = families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => {
      const { name, help, unit, type } = family;
      return { name: type === 'info' ? `${name}_info` : name, description: help, unit: units[unit], ...points(family, span) };
    });
  return {
    resourceMetrics: [
      { resource: { attributes: keyValues(attributes) }, scopeMetrics: [{ scope: { name: 'doubletake', version }, metrics }] },
    ],
  };
}

function points(family: MetricFamily, span: OtlpSpan): object {
  switch (family.type) {
    case 'counter':
      return { sum: { dataPoints: numberPoints(family.samples, span), aggregationTemporality: cumulative, isMonotonic: true } };
    case 'histogram':
      return { histogram: { dataPoints: family.samples.map((sample) => histogramPoint(sample, span)), aggregationTemporality: cumulative } };
    default:
      return { gauge: { dataPoints: numberPoints(family.samples, span) } };
  }
}

function numberPoints(samples: readonly Sample[], span: OtlpSpan): object[] {
  return samples.map(({ labels, value }) => ({ ...common(labels, span), asDouble: value }));
}

function histogramPoint({ labels, bounds, counts, sum }: HistogramSample, span: OtlpSpan): object {
  return {
    ...common(labels, span),
    count: String(counts.reduce((before, count) => before + count, 0)),
    sum,
    bucketCounts: counts.map(String),
    explicitBounds: bounds,
  };
}

function common(labels: Labels, { startMs, timeMs }: OtlpSpan): object {
  return { attributes: keyValues(labels), startTimeUnixNano: nanoseconds(startMs), timeUnixNano: nanoseconds(timeMs) };
}

/** An attribute without a value says nothing. */
function keyValues(labels: Labels): object[] {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
