import { describe, expect, test } from 'vitest';
import { plainState } from '../../../test/support/dashboard-backend.ts';
import { bucketsOf, type LedgerCounts, ledgerOf } from '../../../test/support/ledgers.ts';
import { regressionReport } from '../../../test/support/run-reports.ts';
import type { ShareStanding } from '../../engine/shares.ts';
import { comparisonSummaryOf } from './comparison.ts';
import { endpointsOf } from './endpoints.ts';
import { flowOf } from './flow.ts';
import { historySpanOf } from './history-span.ts';
import { type Reading, RecentReadings, Span } from './reading.ts';
import { sourceHealthOf } from './source-health.ts';
import { candidateOf, targetHealthOf } from './target-health.ts';

function reading(atMs: number, ledger: LedgerCounts, production: number[] = [], candidate: number[] = []): Reading {
  return { atMs, ledger: ledgerOf(ledger), latencies: { production: bucketsOf(...production), targets: { candidate: bucketsOf(...candidate) } } };
}

const vxlan = 'sources vxlan:0.0.0.0:4789';

/** Ten seconds in which these counts grew from nothing, after a first one that was always there. */
function span(counts: Record<string, number>, before: Record<string, number> = {}, ledger: LedgerCounts = {}): Span {
  return new Span(reading(0, { ...ledger, counts: before }), reading(10_000, { ...ledger, counts }));
}

describe('readings', () => {
  test('of the last ten seconds are kept, the oldest to compare with', () => {
    const recent = new RecentReadings();
    const readings = Array.from({ length: 15 }, (_, second) => reading(second * 1_000, {}));
    expect(recent.before(readings[0])).toBe(readings[0]);
    readings.forEach((each) => recent.add(each));
    expect(recent.before(readings[14]).atMs).toBe(4_000);
  });

  test('rates, and latencies of what came between alone', () => {
    const between = new Span(reading(0, { counts: { [`${vxlan} captured`]: 100 } }, [1, 1, 1]), reading(2_000, { counts: { [`${vxlan} captured`]: 700 } }, [1, 1, 1, 900]));
    expect(between.perSecond(({ captured }) => captured)).toBe(300);
    expect(between.latencies(({ production }) => production).reduce((sum, count) => sum + count, 0)).toBe(1);
    const still = new Span(between.now, between.now);
    expect(still.perSecond(({ captured }) => captured)).toBe(0);
  });
});

describe('the flow', () => {
  test('its parts add up, from packets to each target', () => {
    const flow = flowOf(
      ledgerOf({
        targets: ['a'],
        counts: {
          [`${vxlan} packets received`]: 100, [`${vxlan} packets used`]: 90, [`${vxlan} packets ignored vni_not_allowed`]: 7, [`${vxlan} packets malformed truncated_ip`]: 3,
          [`${vxlan} captured`]: 20, [`${vxlan} outcomes replayed`]: 10, [`${vxlan} outcomes sampled_out`]: 4, [`${vxlan} outcomes blocked loop`]: 1,
          [`${vxlan} outcomes blocked method`]: 2, [`${vxlan} inFlight`]: 3,
          'targets a captured': 13, 'targets a outcomes replayed': 10, 'targets a inFlight': 3,
        },
      }),
    );
    expect(flow).toEqual([
      { name: 'packets', total: 100, adds: true, parts: [
        { name: 'used', count: 90, detail: null },
        { name: 'ignored', count: 7, detail: { vni_not_allowed: 7 } },
        { name: 'malformed', count: 3, detail: { truncated_ip: 3 } },
      ] },
      { name: 'requests', total: 20, adds: true, parts: [
        { name: 'replayed', count: 10, detail: null },
        { name: 'sampled out', count: 4, detail: null },
        { name: 'blocked', count: 3, detail: { loop: 1, method: 2 } },
        { name: 'in flight', count: 3, detail: null },
      ] },
      { name: 'target a', total: 13, adds: true, parts: [
        { name: 'replayed', count: 10, detail: null },
        { name: 'in flight', count: 3, detail: null },
      ] },
    ]);
  });

  test('a request that was lost shows', () => {
    const [requests] = flowOf(ledgerOf({ counts: { [`${vxlan} captured`]: 2, [`${vxlan} outcomes replayed`]: 1 } }));
    expect(requests).toMatchObject({ name: 'requests', total: 2, adds: false });
  });
});

describe('sources in words', () => {
  const received = { [`${vxlan} packets received`]: 5 };
  test.each<[Record<string, number>, Record<string, number>, string, RegExp]>([
    [{ [`${vxlan} captured`]: 5, [`${vxlan} packets received`]: 9 }, {}, 'ok', /^$/],
    [{ [`${vxlan} packets kernelDrops`]: 3 }, { [`${vxlan} packets kernelDrops`]: 1 }, 'warning', /^the kernel dropped 2 packets in the last 10 s/],
    [{ ...received, [`${vxlan} packets kernelDrops`]: 3, [`${vxlan} captured`]: 1 }, { [`${vxlan} packets kernelDrops`]: 3 }, 'ok', /^$/],
    [{ [`${vxlan} gaps bytes`]: 1_460 }, {}, 'warning', /^1460 bytes of connections were missing/],
    [{}, {}, 'warning', /^nothing has arrived yet$/],
    [received, received, 'warning', /^nothing arrived in the last 10 s$/],
  ])('%o after %o is %s', (now, before, state, text) => {
    expect(sourceHealthOf(span(now, before))).toEqual([expect.objectContaining({ name: 'vxlan:0.0.0.0:4789', kind: 'vxlan', state, text: expect.stringMatching(text) as string })]);
  });

  test('files end, and say so', () => {
    const files = { sources: ['files:a.har'] };
    expect(sourceHealthOf(span({}, {}, files))).toMatchObject([{ kind: 'recording', state: 'ok' }]);
    expect(sourceHealthOf(span({ 'sources files:a.har files done': 7, 'sources files:a.har files total': 7 }, {}, files))).toMatchObject([{ state: 'stopped', text: 'read to its end' }]);
  });

  test('a sink that refuses connections warns', () => {
    expect(sourceHealthOf(span({ 'sources http-sink:0.0.0.0:80 sink refused': 4 }, {}, { sources: ['http-sink:0.0.0.0:80'] }))).toMatchObject([
      { kind: 'httpSink', state: 'warning', text: expect.stringMatching(/^4 connections were refused/) as string },
    ]);
  });
});

describe('targets in words', () => {
  const share: ShareStanding = { percentage: 100, by: 'configuration', ramp: null };
  const { config } = plainState();
  const judged = (counts: Record<string, number>, shares: ShareStanding = share) => targetHealthOf(span(counts), config, { candidate: shares })[0];

  test.each<[Record<string, number>, string, RegExp, number]>([
    [{ 'targets candidate outcomes replayed': 100, 'targets candidate responses 2xx': 100 }, 'ok', /^$/, 0],
    [{ 'targets candidate outcomes replayed': 90, 'targets candidate outcomes failed timeout': 10 }, 'warning', /^10\.0 % of its requests failed/, 0.1],
    [{ 'targets candidate outcomes replayed': 100, 'targets candidate responses 5xx': 60 }, 'failing', /^60\.0 %/, 0.6],
    [{ 'targets candidate outcomes replayed': 10, 'targets candidate outcomes dropped queue_full': 7 }, 'warning', /^7 requests were dropped in the last 10 s/, 0],
    [{ 'targets candidate circuit openNow': 1 }, 'failing', /^the circuit breaker is open/, 0],
  ])('%o is %s', (counts, state, text, errorShare) => {
    expect(judged(counts)).toMatchObject({ role: 'candidate', url: 'http://candidate.test:8080', state, text: expect.stringMatching(text) as string, errorShare });
  });

  test('one that gets nothing is stopped, by whom is said', () => {
    expect(judged({}, { percentage: 0, by: 'hand', ramp: null })).toMatchObject({ state: 'stopped', text: 'it gets nothing, as set by hand' });
    expect(judged({}, { percentage: 0, by: 'configuration', ramp: null })).toMatchObject({ state: 'stopped', text: 'it gets nothing, as its configuration says' });
  });

  test('a ramp that fell back warns', () => {
    const ramp: ShareStanding['ramp'] = { step: 0, steps: [{ percentage: 5, forMs: 1_000 }], state: 'backed_off' };
    expect(judged({}, { percentage: 5, by: 'ramp', ramp })).toMatchObject({ state: 'warning', text: 'its ramp fell back', ramp });
  });

  test('the candidate is the one that is compared, and the first where nothing is', () => {
    expect(candidateOf(config, ledgerOf())).toBe('candidate');
    expect(candidateOf(null, ledgerOf({ targets: ['a', 'b'] }))).toBe('a');
    expect(candidateOf(null, ledgerOf({ targets: [] }))).toBeNull();
  });
});

describe('the comparison', () => {
  test('clusters count where they are of the code and not accepted; endpoints count theirs', () => {
    const report = regressionReport();
    const [first] = report.clusters;
    const clusters = [first, { ...first, id: 'c2', origin: 'state' as const }, { ...first, id: 'c3', accepted: true as const }];
    const summary = comparisonSummaryOf({ ...report, clusters });
    expect(summary.clusters).toEqual({ high: 1, medium: 0, low: 0 });
    expect(summary.mismatch?.value).toBeCloseTo(report.mismatches / report.pairs);
    expect(summary.mismatch?.low).toBeLessThan(summary.mismatch?.high ?? 0);
    const rows = endpointsOf({ ...report, clusters }).endpoints;
    expect(rows.find(({ endpoint }) => endpoint === first.endpoint)?.clusters).toBe(1);
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 1);
  });

  test('of nothing there is no share', () => {
    expect(comparisonSummaryOf({ ...regressionReport(), pairs: 0, mismatches: 0 }).mismatch).toBeNull();
  });
});

test('what the history keeps of a span', () => {
  const { config } = plainState();
  const between = new Span(
    reading(0, {}),
    reading(
      1_000,
      {
        counts: {
          [`${vxlan} captured`]: 12, [`${vxlan} outcomes replayed`]: 8, [`${vxlan} outcomes dropped queue_full`]: 1, [`${vxlan} outcomes incomplete gap`]: 2,
          [`${vxlan} production responses 2xx`]: 9, [`${vxlan} production responses 5xx`]: 1,
          'targets candidate outcomes replayed': 8, 'targets candidate outcomes failed reset': 2, 'targets candidate responses 5xx': 3,
        },
      },
      [4],
      [5, 6],
    ),
  );
  const kept = historySpanOf(between, 5_000, config, { before: { pairs: 10, mismatches: 1 }, now: { pairs: 18, mismatches: 3 } });
  expect(kept).toMatchObject({
    endMs: 5_000, ms: 1_000, captured: 12, replayed: 8, lost: 3, pairs: 8, mismatches: 2,
    production: { answers: 10, errors: 1 },
    candidate: { answers: 10, errors: 5 },
  });
});
