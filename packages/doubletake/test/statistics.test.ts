import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type FieldGroup, type Found, simulate } from './support/field-simulation.ts';

const alike = (rate: number) => ({ candidate: rate, noise: rate });

/** 1,000 fields of 200 endpoints, of which 800 are unchanged. */
const groups: readonly FieldGroup[] = [
  { name: 'never differs', fields: 400, changed: false, rates: () => alike(0) },
  { name: 'noise of 0.1 to 1 %', fields: 150, changed: false, rates: (field) => alike(0.001 + (0.009 * field) / 150) },
  { name: 'noise of 5 to 60 %', fields: 100, changed: false, rates: (field) => alike(0.05 + (0.55 * field) / 100) },
  { name: 'always differs', fields: 50, changed: false, rates: () => alike(1) },
  { name: 'noise that rises from 0 to 20 %', fields: 50, changed: false, rates: (_, progress) => alike(0.2 * progress) },
  { name: 'noise that falls from 30 to 2 %', fields: 50, changed: false, rates: (_, progress) => alike(progress < 0.3 ? 0.3 : 0.02) },
  { name: '0.3 % differ', fields: 25, changed: true, rates: () => ({ candidate: 0.003, noise: 0 }) },
  { name: '1 % differ', fields: 50, changed: true, rates: () => ({ candidate: 0.01, noise: 0 }) },
  { name: '20 % differ', fields: 25, changed: true, rates: () => ({ candidate: 0.2, noise: 0 }) },
  { name: 'all differ', fields: 25, changed: true, rates: () => ({ candidate: 1, noise: 0 }) },
  {
    name: '5 % differ from the middle on',
    fields: 25,
    changed: true,
    rates: (_, progress) => ({ candidate: progress > 0.5 ? 0.05 : 0, noise: 0 }),
  },
  { name: '10 % differ, noise of 5 %', fields: 25, changed: true, rates: () => ({ candidate: 0.1, noise: 0.05 }) },
  { name: '78 % differ, noise of 60 %', fields: 25, changed: true, rates: () => ({ candidate: 0.78, noise: 0.6 }) },
];

const seeds = [1, 2, 3, 4];
const raised = seeds.map((seed) => simulate(groups, { usual: 0.05, wanted: 0.5 }, seed));
const whole = seeds.map((seed) => simulate(groups, { usual: 1, wanted: 1 }, seed));
const ways = [
  { name: 'a share of 5 %, 50 % where wanted', runs: raised.map((run) => run.doubletake) },
  { name: 'all requests twice', runs: whole.map((run) => run.doubletake) },
  { name: 'all requests twice, Diffy\'s rule', runs: whole.map((run) => run.diffy) },
];

function power(runs: readonly Found[][], group: string, when: 'atEnd' | 'ever'): number {
  const index = groups.findIndex(({ name }) => name === group);
  return total(runs, (found, of) => (of === index ? found[when] : 0)) / (runs.length * (groups[index]?.fields ?? 0));
}

/** Mean over the runs of the share of what was found that is not there. */
function falseDiscoveries(runs: readonly Found[][], when: 'atEnd' | 'ever'): number {
  const shares = runs.map((run) => {
    const wrong = total([run], (found, group) => (groups[group]?.changed ? 0 : found[when]));
    return wrong / Math.max(1, total([run], (found) => found[when]));
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function total(runs: readonly Found[][], value: (found: Found, group: number) => number): number {
  return runs.flatMap((run) => run.map(value)).reduce((sum, part) => sum + part, 0);
}

function medianPairs(runs: readonly Found[][], group: number): string {
  const pairs = runs.flatMap((run) => run[group]?.firstPairs ?? []).toSorted((a, b) => a - b);
  return pairs[pairs.length >> 1]?.toLocaleString('en') ?? '';
}

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;

/** The table in docs/statistics.md. */
function table(): string {
  const head = [
    '| fields | | found, 5 % twice | after pairs | found, all twice | after pairs | Diffy | Diffy at some look |',
    '|---|---|---|---|---|---|---|---|',
  ];
  const rows = groups.map(({ name, fields }, index) => {
    const [few = [], all = [], diffy = []] = ways.map(({ runs }) => runs);
    const cells = [
      name,
      String(fields),
      percent(power(few, name, 'ever')),
      medianPairs(few, index),
      percent(power(all, name, 'ever')),
      medianPairs(all, index),
      percent(power(diffy, name, 'atEnd')),
      percent(power(diffy, name, 'ever')),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const [few = 0, all = 0, diffyEver = 0] = ways.map(({ runs }) => falseDiscoveries(runs, 'ever'));
  const diffyAtEnd = falseDiscoveries(ways[2]?.runs ?? [], 'atEnd');
  const rates = ['**false discoveries, of all found**', '', percent(few), '', percent(all), '', percent(diffyAtEnd), percent(diffyEver)];
  return [...head, ...rows, `| ${rates.join(' | ')} |`].join('\n');
}

describe('1,000 fields, looked at after every 50 of 5,000 pairs', () => {
  test.each(ways.slice(0, 2))('at most 5 % of what any look finds is not there: $name', ({ runs }) => {
    expect(falseDiscoveries(runs, 'ever')).toBeLessThanOrEqual(0.05);
    expect(falseDiscoveries(runs, 'atEnd')).toBeLessThanOrEqual(0.05);
  });

  test.each(ways.slice(0, 2))('what differs in 1 % of the pairs or more is found: $name', ({ runs }) => {
    for (const { name, changed } of groups) {
      if (changed && name !== '0.3 % differ') expect.soft(power(runs, name, 'atEnd'), name).toBeGreaterThan(0.95);
    }
  });

  test('few requests need to be sent twice', () => {
    const noisePairs = raised.reduce((sum, run) => sum + run.noisePairs, 0);
    expect(noisePairs / (raised.length * 200 * 5000)).toBeLessThan(0.25);
  });

  test('Diffy\'s rule finds what is not there, and misses a 30 % shift of a noisy field', () => {
    const [, , { runs } = { runs: [] }] = ways;
    expect(falseDiscoveries(runs, 'atEnd')).toBeGreaterThan(0.05);
    expect(power(runs, '78 % differ, noise of 60 %', 'atEnd')).toBeLessThan(0.05);
  });

  test('docs/statistics.md has the figures', async () => {
    const page = readFileSync(new URL('../../../docs/statistics.md', import.meta.url), 'utf8');
    const figures = page.replace(/(?<=<!-- simulation -->\n\n)[^]*?(?=\n\n<!-- \/simulation -->)/, () => table());
    await expect(figures).toMatchFileSnapshot('../../../docs/statistics.md');
  });
});
