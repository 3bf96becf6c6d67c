/**
 * Metrics as plain values, from which each format is made: the text for Prometheus (exposition.ts), JSON for
 * OpenTelemetry (otlp.ts), the table of docs/metrics.md. Names follow Prometheus: base units, and the unit in the name; a
 * counter's `_total` is added by the formats that want it.
 */

/** In the order in which they are written. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels: Labels;
  value: number;
}

/** Counts by bucket, each only of its own: what is above the last bound is in one bucket more than there are bounds. */
export interface HistogramSample {
  labels: Labels;
  bounds: readonly number[];
  counts: readonly number[];
  sum: number;
}

export type Unit = 'seconds' | 'bytes' | 'ratio' | '';

interface FamilyBase {
  name: string;
  /** One sentence or two, without line breaks. */
  help: string;
  unit: Unit;
}

export interface NumberFamily extends FamilyBase {
  type: 'counter' | 'gauge' | 'info';
  samples: readonly Sample[];
}

export interface HistogramFamily extends FamilyBase {
  type: 'histogram';
  samples: readonly HistogramSample[];
}

export type MetricFamily = NumberFamily | HistogramFamily;

/** What only ever grows while the process lives. */
export function counter(name: string, help: string, samples: readonly Sample[]): NumberFamily {
  return { type: 'counter', name, help, unit: unitOf(name), samples };
}

export function gauge(name: string, help: string, samples: readonly Sample[]): NumberFamily {
  return { type: 'gauge', name, help, unit: unitOf(name), samples };
}

export function histogram(name: string, help: string, samples: readonly HistogramSample[]): HistogramFamily {
  return { type: 'histogram', name, help, unit: unitOf(name), samples };
}

/** Labels that say something, with the value 1. */
export function info(name: string, help: string, labels: Labels): NumberFamily {
  return { type: 'info', name, help, unit: '', samples: [{ labels, value: 1 }] };
}

/** One sample, without labels; none for null. */
export function single(value: number | boolean | null): Sample[] {
  return value === null ? [] : [{ labels: {}, value: Number(value) }];
}

/** A sample for each count, labelled with its name. */
export function byName(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** A state set: a sample for each state, 1 for the one that holds and 0 for the others; none at all while none holds. */
export function states<State extends string>(label: string, all: readonly State[], now: State | null): Sample[] {
  return now === null ? [] : all.map((state) => ({ labels: { [label]: state }, value: Number(state === now) }));
}

function unitOf(name: string): Unit {
  return (['seconds', 'bytes', 'ratio'] as const).find((unit) => name.endsWith(`_${unit}`)) ?? '';
}
