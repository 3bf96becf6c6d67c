/**
 * Metrics as the text that Prometheus scrapes: its text format 0.0.4, or OpenMetrics 1.0.0 where the scraper prefers it.
 * Both have the same series; counters, whose names end in `_total` in both, and the text around the samples differ.
 */
import { type HistogramSample, type Labels, type MetricFamily } from './family.ts';

export interface Exposition {
  /** For the header Content-Type. */
  type: string;
  text: string;
}

/** The format that `accept` prefers, the text format when it does not matter. */
export function expose(families: readonly MetricFamily[], accept: string | undefined): Exposition {
  return prefersOpenMetrics(accept ?? '')
    ? { type: 'application/openmetrics-text; version=1.0.0; charset=utf-8', text: openMetricsText(families) }
    : { type: 'text/plain; version=0.0.4; charset=utf-8', text: prometheusText(families) };
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => {
      const name = sampleName(family);
      const type = family.type === 'info' ? 'gauge' : family.type;
      return `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${type}\n${sampleLines(family)}`;
    })
    .join('');
}

/** https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export function openMetricsText(families: readonly MetricFamily[]): string {
  const texts = families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => {
      const { name, type, unit, help } = family;
      const unitLine = unit === '' ? '' : `# UNIT ${name} ${unit}\n`;
      return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${escapeHelp(help).replaceAll('"', '\\"')}\n${sampleLines(family)}`;
    });
  return `${texts.join('')}# EOF\n`;
}

/** The name of a family's samples; those of a histogram have a suffix more. */
export function sampleName({ type, name }: Pick<MetricFamily, 'type' | 'name'>): string {
  if (type === 'counter') return `${name}_total`;
  return type === 'info' ? `${name}_info` : name;
}

function sampleLines(family: MetricFamily): string {
  const name = sampleName(family);
  if (family.type === 'histogram') return family.samples.map((sample) => histogramLines(name, sample)).join('');
  return family.samples.map(({ labels, value }) => `${name}${labelText(labels)} ${numberText(value)}\n`).join('');
}

/** Buckets are written as sums: how many are at most so much. */
function histogramLines(name: string, { labels, bounds, counts, sum }: HistogramSample): string {
  let lines = '';
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    below += count;
    const bound = bounds[bucket];
    // As OpenMetrics writes it, so that a series has the same name in both formats.
    const le = bound === undefined ? '+Inf' : Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
    lines += `${name}_bucket${labelText({ ...labels, le })} ${below}\n`;
  }
  return `${lines}${name}_sum${labelText(labels)} ${numberText(sum)}\n${name}_count${labelText(labels)} ${below}\n`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** RFC 9110 section 12.5.1, as far as the two formats go: OpenMetrics is preferred when it is named and weighs no less. */
function prefersOpenMetrics(accept: string): boolean {
  let open = 0;
  let text = 0;
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const given = new Map(parameters.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
    const weight = Number(given.get('q') ?? 1) || 0;
    const version = given.get('version') ?? '1.0.0';
    if (type === 'application/openmetrics-text' && (version === '1.0.0' || version === '0.0.1')) open = Math.max(open, weight);
    else if (type === 'text/plain') text = Math.max(text, weight);
  }
  return open > 0 && open >= text;
}
