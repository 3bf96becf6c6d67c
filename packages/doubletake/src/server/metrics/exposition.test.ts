import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExposition } from '../../../test/support/exposition-parser.ts';
import { exampleFamilies, exampleMetricsSource, exampleSource } from '../../../test/support/metrics-example.ts';
import { expose, openMetricsText, prometheusText, sampleName } from './exposition.ts';
import { counter, gauge, histogram, type MetricFamily } from './family.ts';

const formats = [
  ['text', prometheusText],
  ['openmetrics', openMetricsText],
] as const;

describe.each(formats)('as %s', (format, write) => {
  const parsed = parseExposition(write(exampleFamilies()), format);
  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    parsed.flatMap(({ samples }) => samples).find((sample) => sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text))?.value;

  test('every family is written by the grammar, with all its labels', () => {
    expect(parsed.map(({ name }) => name)).toEqual(exampleFamilies().map((family) => (format === 'text' ? sampleName(family) : family.name)));
    expect(parsed.every(({ samples }) => samples.length > 0)).toBe(true);
  });

  test('the ledger\'s sums still add up', () => {
    const ended = parsed.find(({ samples }) => samples[0]?.name === 'doubletake_requests_ended_total')?.samples ?? [];
    const sum = ended.reduce((before, sample) => before + sample.value, 0);
    expect(sum).toBe(5);
    expect(sum + (value('doubletake_requests_in_flight', { source: exampleSource }) ?? 0)).toBe(value('doubletake_requests_captured_total'));
    expect(value('doubletake_requests_ended_total', { outcome: 'filtered', reason: 'no "health" checks\\' })).toBe(1);
    expect(value('doubletake_requests_ended_total', { outcome: 'replayed', reason: '' })).toBe(3);
  });

  test('latencies are in seconds, each in the first bucket that holds it', () => {
    const at = (le: string): number | undefined => value('doubletake_target_latency_seconds_bucket', { target: 'candidate', le });
    expect([at('0.002'), at('0.003'), at('0.004'), at('0.192'), at('0.256'), at('+Inf')]).toEqual([0, 1, 2, 2, 3, 3]);
    expect(Math.abs((value('doubletake_production_latency_seconds_sum') ?? 0) - 0.257)).toBeLessThan(0.257 * 0.0625);
  });

  test('of the verdicts one holds', () => {
    expect(['SAFE', 'REGRESSION', 'INSUFFICIENT'].map((verdict) => value('doubletake_verdict', { verdict }))).toEqual([0, 1, 0]);
    expect(value('doubletake_target_ramp_state', { target: 'candidate', state: 'rising' })).toBe(1);
    expect(value('doubletake_target_share_ratio', { target: 'candidate' })).toBe(0.25);
  });

  test('what is not there has no series, and nothing is said of it', () => {
    const source = { ...exampleMetricsSource(), comparison: () => null, shares: () => ({}) };
    const names = parseExposition(write(exampleFamilies(source)), format).map(({ name }) => name);
    expect(names.filter((name) => /verdict|pairs|endpoints|clusters|ramp/.test(name))).toEqual([]);
    expect(names).toContain('doubletake_healthy');
  });

  test('any text and any number comes back as it was', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', 'é') }));
    const double = fc.oneof(fc.double({ noNaN: true }).map((number) => number + 0), fc.constantFrom(Infinity, -Infinity, 1e21, 5e-324));
    fc.assert(
      fc.property(text, text, double, fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), (label, help, number, counts) => {
        const families: MetricFamily[] = [
          gauge('a_ratio', `x${help}`, [{ labels: { one: label, two: '' }, value: number }]),
          counter('b', 'b', [{ labels: {}, value: counts[0] ?? 0 }]),
          histogram('c_seconds', 'c', [{ labels: { of: label }, bounds: [0.5, 2], counts, sum: 1.5 }]),
        ];
        const [a, b, c] = parseExposition(write(families), format);
        expect(a).toMatchObject({ help: `x${help}`, samples: [{ labels: { one: label, two: '' }, value: number }] });
        expect(b?.samples).toEqual([{ name: 'b_total', labels: {}, value: counts[0] }]);
        expect(c?.samples.map((sample) => sample.value)).toEqual([...counts.map((_, index) => counts.slice(0, index + 1).reduce((x, y) => x + y)), 1.5, counts.reduce((x, y) => x + y)]);
      }),
    );
  });
});

describe('the format', () => {
  const prometheus = 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

  test.each([
    [prometheus, 'openmetrics-text'],
    ['application/openmetrics-text', 'openmetrics-text'],
    ['Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8, text/plain', 'openmetrics-text'],
    ['text/plain, application/openmetrics-text; q=0.5', 'plain'],
    ['application/openmetrics-text; q=0', 'plain'],
    ['application/openmetrics-text; version=9.0.0', 'plain'],
    ['*/*', 'plain'],
    ['text/html,application/xhtml+xml', 'plain'],
    [';;,=;q=', 'plain'],
    [undefined, 'plain'],
  ])('for Accept: %s is %s', (accept, type) => {
    const { type: given, text } = expose(exampleFamilies(), accept);
    expect(given.split(';')[0]?.split('/')[1]).toBe(type);
    expect(text.endsWith('# EOF\n')).toBe(type === 'openmetrics-text');
  });
});
