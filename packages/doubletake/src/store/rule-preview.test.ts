import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, difference, judgedPair } from '../../test/support/judged-pairs.ts';
import { compareAnswers } from '../compare/diff/compare-answers.ts';
import { CompareRules } from '../compare/rules/compare-rules.ts';
import { RuleReach } from '../compare/rules/rule-reach.ts';
import { readRule } from '../config/rules-file.ts';
import type { JudgedPair } from './rows.ts';
import type { RunQueries, StoredPreview } from './run-queries.ts';
import { RunStore } from './run-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-preview-'));
const endpoints = ['GET /a', 'GET /a/{id}', 'POST /b'];

let seed = 1;
/** Numbers that look random and are the same each time. */
function below(max: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * max);
}

/** A document, and what the other version makes of it. */
function documents(): [before: object, after: object] {
  const number = (): number => below(2_000) / 10;
  const before = { price: number(), name: `n${below(3)}`, items: [{ id: 1, cost: number(), 'a b': below(2) }, { id: 2, cost: number() }], tags: ['x', 'y', 'z'], deep: { price: number() } };
  const after = structuredClone(before) as Partial<typeof before> & typeof before;
  if (below(2) === 0) after.price += (below(21) - 10) / 10;
  if (below(3) === 0) after.items[below(2)].cost *= 1 + below(4) / 100;
  if (below(5) === 0) after.items[0]['a b'] = 7;
  if (below(5) === 0) after.tags.reverse();
  if (below(6) === 0) after.name = 'other';
  if (below(6) === 0) delete (after as { deep?: object }).deep;
  else if (below(4) === 0) after.deep.price += 1;
  return [before, after];
}

const none = new CompareRules([], { bodyBytesMax: 1_048_576 });

const pairs = Array.from({ length: 300 }, (_, index): JudgedPair => {
  const [before, after] = documents().map((document) => Buffer.from(JSON.stringify(document)));
  const [baseline, candidate] = [before, after].map((body) => answer({ body, bodyBytes: body.length, headers: [['Content-Type', 'application/json'], ['X-Trace', body === after ? `t${below(2)}` : 't0']] }));
  const endpoint = endpoints[index % endpoints.length];
  const judged = judgedPair(index);
  const { differences } = compareAnswers(baseline, candidate, none.of(endpoint).options);
  return {
    ...judged,
    endpoint,
    pair: { ...judged.pair, baseline, candidate, probability: index % 4 === 0 ? 0.5 : 1 },
    differences: differences.map((each) => ({ ...each, cluster: `${endpoint} ${each.path} ${each.kind}` })),
    mismatch: differences.length > 0,
  };
});

/** What the rule does to each pair when it is there from the start. */
function reference(rule: object): Omit<StoredPreview, 'endpoints' | 'clusters'> {
  const rules = new CompareRules([readRule(rule)], { bodyBytesMax: 1_048_576 });
  const counts = { pairs: 0, hiddenDifferences: 0, hiddenPairs: 0, remainingPairs: 0 };
  for (const { pair, endpoint, differences } of pairs) {
    const weight = 1 / pair.probability;
    const of = rules.of(endpoint);
    if (of.options.rules === undefined) continue;
    counts.pairs += weight;
    if (differences.length === 0) continue;
    const left = compareAnswers(pair.baseline, pair.candidate, of.options).differences.length;
    counts.hiddenDifferences += weight * (differences.length - left);
    if (left === 0) counts.hiddenPairs += weight;
    else counts.remainingPairs += weight;
  }
  return counts;
}

describe('the preview of a rule', () => {
  let store: RunStore;
  let queries: RunQueries;

  beforeAll(async () => {
    store = await RunStore.create(join(folder, 'run'), { version: '1', startedUs: 0, sanitized: true, limits: { differencesPerPair: 50 } });
    queries = store.queries();
    const noise = judgedPair(9_999, 'c1', { endpoint: 'GET /a' });
    await store.append([...pairs, { ...noise, pair: { ...noise.pair, kind: 'noise' } }]);
  });

  afterAll(async () => {
    await queries.close();
    await store.close(0);
    rmSync(folder, { recursive: true, force: true });
  });

  test('says what comparing anew with the rule comes to', async () => {
    const paths = fc.constantFrom('$', '$.price', '$..price', '$.items', '$.items[*]', '$.items[*].cost', '$.items[*].*', "$.items[*]['a b']", '$.deep', '$.tags', '$.*', '**', 'header:x-*', 'status', '$.pric', '$.nothing');
    const effects = fc.oneof(
      fc.constantFrom<object>({ ignore: true }, { unordered: true }),
      fc.record({ absolute: fc.constantFrom(0, 0.3, 0.5, 1, 100), relative: fc.constantFrom('0%', '0.5%', '1%', '50%') }, { requiredKeys: [] })
        .filter((tolerance) => Object.keys(tolerance).length > 0)
        .map((tolerance) => ({ tolerance })),
    );
    const endpoint = fc.option(fc.constantFrom<string | string[]>('GET /a', '* /a/**', 'GET /*', ['POST /b', 'GET /a'], 'nowhere'), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(paths, effects, endpoint, async (path, effect, of) => {
        const rule = { name: 'r', path, ...effect, ...(of === undefined ? {} : { endpoint: of }) };
        const { endpoints: each, clusters, ...counts } = await queries.preview(new RuleReach(readRule(rule)));
        expect(counts).toEqual(reference(rule));
        expect(each.reduce((total, { hiddenPairs }) => total + hiddenPairs, 0)).toBe(counts.hiddenPairs);
        expect(clusters.length > 0).toBe(counts.hiddenDifferences > 0);
        for (const { hiddenShare } of clusters) expect(hiddenShare > 0 && hiddenShare <= 1).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('takes a pair of which not all differences are stored for one that still differs', async () => {
    const many = Array.from({ length: 60 }, (_, index) => difference('c7', { path: `$.many[*].f${index}` }));
    await store.append([judgedPair(20_000, 'c7', { endpoint: 'GET /many', differences: many })]);
    const found = await queries.preview(new RuleReach(readRule({ name: 'r', path: '$.many', ignore: true })));
    expect(found).toMatchObject({ hiddenDifferences: 50, hiddenPairs: 0, endpoints: [{ endpoint: 'GET /many', hiddenPairs: 0, remainingPairs: 1 }], clusters: [{ id: 'c7', hiddenShare: 1 }] });
  });

  test('takes what is stored for what it is', async () => {
    const nasty = "'; DROP TABLE pairs; -- \" \\ \0 ü";
    await store.append([judgedPair(30_000, nasty, { endpoint: `GET ${nasty}`, differences: [difference(nasty, { path: `$['${nasty}']`, baseline: `${nasty}1`, candidate: 'NaN' })] })]);
    expect(await queries.preview(new RuleReach(readRule({ name: 'r', path: '**DROP**', ignore: true })))).toMatchObject({ hiddenPairs: 1, endpoints: [{ endpoint: `GET ${nasty}` }], clusters: [{ id: nasty }] });
    expect(await queries.preview(new RuleReach(readRule({ name: 'r', path: '**DROP**', tolerance: { absolute: 1e9 } })))).toMatchObject({ hiddenPairs: 0 });
  });
});
