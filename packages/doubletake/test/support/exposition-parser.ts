/**
 * Reads what Prometheus scrapes, strictly by the published grammars: the text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics 1.0.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/). Throws at the first line that is not as it should be, and for
 * what the formats demand beyond the lines: no series twice, a family's lines together, buckets that only grow.
 */

export interface ParsedFamily {
  name: string;
  type: string;
  help: string;
  unit: string;
  samples: ParsedSample[];
}

export interface ParsedSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

type Format = 'text' | 'openmetrics';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const number = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]?inf|nan)$/i;

/** What the name of a sample has behind that of its family. */
const suffixes: Readonly<Record<Format, Readonly<Record<string, readonly string[]>>>> = {
  text: { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] },
  openmetrics: { counter: ['_total'], gauge: [''], info: ['_info'], histogram: ['_bucket', '_sum', '_count'] },
};

/** The families in `text`, in their order. */
export function parseExposition(text: string, format: Format): ParsedFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the last line is not # EOF');
  const families = new Map<string, ParsedFamily>();
  const series = new Set<string>();
  let current: ParsedFamily | undefined;
  for (const line of lines) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE|UNIT) (\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      if (metricName.exec(name)?.[0] !== name) throw new Error(`no name of a metric: ${line}`);
      if (current?.name !== name) {
        if (families.has(name)) throw new Error(`the lines of ${name} are not together`);
        current = { name, type: '', help: '', unit: '', samples: [] };
        families.set(name, current);
      }
      describe(current, keyword, rest, format);
      continue;
    }
    if (line.startsWith('#')) throw new Error(`an unknown comment: ${line}`);
    const sample = parseSample(line);
    if (current === undefined || !namesOf(current, format).includes(sample.name)) throw new Error(`a sample outside its family: ${line}`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
    if (series.has(key)) throw new Error(`a series is there twice: ${line}`);
    series.add(key);
    current.samples.push(sample);
  }
  for (const family of families.values()) check(family, format);
  return [...families.values()];
}

function describe(family: ParsedFamily, keyword: string, rest: string, format: Format): void {
  const key = { HELP: 'help', TYPE: 'type', UNIT: 'unit' }[keyword] as 'help' | 'type' | 'unit';
  if (family[key] !== '' || family.samples.length > 0) throw new Error(`${family.name} has ${keyword} twice, or behind its samples`);
  if (key === 'type' && suffixes[format][rest] === undefined) throw new Error(`no type: ${rest}`);
  if (key === 'unit' && (format === 'text' || !family.name.endsWith(`_${rest}`))) throw new Error(`${family.name} does not end in ${rest}`);
  family[key] = key === 'help' ? unescape(rest, format === 'text' ? 'n\\' : 'n\\"') : rest;
}

function namesOf({ name, type }: ParsedFamily, format: Format): string[] {
  return (suffixes[format][type] ?? []).map((suffix) => name + suffix);
}

/** `name{label="value",…} number`, without a time. */
function parseSample(line: string): ParsedSample {
  const [name] = metricName.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    do {
      rest = rest.slice(1);
      const [label] = labelName.exec(rest) ?? [];
      const [quoted] = /^="(?:[^"\\]|\\.)*"/.exec(rest.slice(label?.length)) ?? [];
      if (label === undefined || quoted === undefined || label in labels) throw new Error(`wrong labels: ${line}`);
      labels[label] = unescape(quoted.slice(2, -1), 'n\\"');
      rest = rest.slice(label.length + quoted.length);
    } while (rest.startsWith(','));
    if (!rest.startsWith('}')) throw new Error(`labels without end: ${line}`);
    rest = rest.slice(1);
  }
  const value = rest.slice(1);
  if (!rest.startsWith(' ') || !number.test(value)) throw new Error(`no value: ${line}`);
  return { name, labels, value: Number(value.replace(/inf/i, 'Infinity')) };
}

function unescape(text: string, allowed: string): string {
  return text.replaceAll(/\\(.?)/g, (all, letter: string) => {
    if (letter === '' || !allowed.includes(letter)) throw new Error(`an escape that there is not: ${all}`);
    return letter === 'n' ? '\n' : letter;
  });
}

function check(family: ParsedFamily, format: Format): void {
  const { name, type, help, samples } = family;
  if (type === '' || help === '') throw new Error(`${name} has no type, or no help`);
  if (format === 'openmetrics' && /_(?:total|info|bucket|sum|count|created)$/.test(name)) throw new Error(`${name} ends as samples do`);
  for (const { labels, value } of samples) {
    if (Object.keys(labels).some((label) => label.startsWith('__'))) throw new Error(`${name} has a reserved label`);
    if (type !== 'gauge' && !(value >= 0)) throw new Error(`${name} counts ${value}`);
    if (type === 'info' && value !== 1) throw new Error(`${name} is information, and not 1`);
  }
  if (type === 'histogram') checkBuckets(family);
}

function checkBuckets({ name, samples }: ParsedFamily): void {
  const rows = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: null }));
  for (const row of rows.values()) {
    const buckets = row.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')));
    const rising = bounds.every((bound, index) => bound > (bounds[index - 1] ?? -1));
    const growing = buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0));
    if (!rising || !growing || bounds.at(-1) !== Infinity) throw new Error(`the buckets of ${name} are not in order`);
    const count = row.find((sample) => sample.name === `${name}_count`)?.value;
    if (count !== buckets.at(-1)?.value || !row.some((sample) => sample.name === `${name}_sum`)) throw new Error(`the buckets of ${name} do not come to its count`);
  }
}
