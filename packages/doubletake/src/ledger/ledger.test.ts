import { describe, expect, test } from 'vitest';
import { ledgerLayout, ledgerPaths } from '../engine/ledger-layout.ts';
import { createSharedRow, publishRow, readPublication, readRow } from './counters.ts';
import { bucketOf } from './histogram.ts';
import { buildReport, imbalances } from './report.ts';
import { Tally } from './tally.ts';

const layout = ledgerLayout({ sources: ['vxlan:0.0.0.0:4789', 'pcap:a'], targets: ['old', 'new'], filters: [] });

describe('the ledger', () => {
  test('counts of several workers and sources add up in the report', () => {
    const rows = [0, 1].map((worker) => {
      const row = layout.createRow();
      for (const name of ['vxlan:0.0.0.0:4789', 'pcap:a']) {
        const tally = new Tally(layout, row, ['sources', name]);
        tally.capture();
        tally.capture();
        tally.end('replayed');
        tally.setInFlight(worker === 0 ? 1 : 0);
        if (worker === 1) tally.end('blocked.loop');
      }
      return row;
    });
    const report = buildReport(layout, rows);
    expect(report).toMatchObject({ captured: 8, outcomes: { replayed: 4, blocked: { loop: 2 } }, inFlight: 2 });
    expect(report.sources['pcap:a']).toMatchObject({ captured: 4, outcomes: { replayed: 2, blocked: { loop: 1 } } });
    expect(imbalances(report)).toEqual([]);
  });

  test('what is filtered is counted by rule, whatever the rule is called', () => {
    const filters = ['v1.0', 'constructor', 'no health checks'].map((name) => ({ name, exclude: { path: '/x' } }));
    const filtered = ledgerLayout({
      sources: ['pcap:a'],
      targets: ['new'],
      filters: [...filters, { name: 'api', include: { path: '/api' } }],
    });
    const row = filtered.createRow();
    for (const path of [['sources', 'pcap:a'], ['targets', 'new']]) {
      const tally = new Tally(filtered, row, path);
      for (const name of ['v1.0', 'v1.0', 'constructor', 'no_include_matched']) {
        tally.capture();
        tally.end(`filtered.${name}`);
      }
    }
    const report = buildReport(filtered, [row]);
    const counts = { 'v1.0': 2, constructor: 1, 'no health checks': 0, no_include_matched: 1 };
    expect(report.outcomes['filtered']).toEqual(counts);
    expect(report.targets['new']?.outcomes['filtered']).toEqual(counts);
    expect(imbalances(report)).toEqual([]);
  });

  test('an outcome without a counter is a mistake of ours', () => {
    const tally = new Tally(layout, layout.createRow(), ['targets', 'new']);
    expect(() => tally.end('filtered.unknown')).toThrow('filtered.unknown');
  });

  test('a request that no stage holds and that has no outcome is found', () => {
    const row = layout.createRow();
    new Tally(layout, row, ['targets', 'new']).capture();
    expect(imbalances(buildReport(layout, [row]))).toEqual(['target new: 1 requests captured, but 0 ended or in flight']);
  });

  test('so is one that ended twice, and a packet that was not accounted for', () => {
    const row = layout.createRow();
    const tally = new Tally(layout, row, ['sources', 'pcap:a']);
    tally.capture();
    tally.end('replayed');
    tally.end('failed.reset');
    row[layout.slot('sources', 'pcap:a', 'packets', 'received')] = 1;
    expect(imbalances(buildReport(layout, [row]))).toEqual([
      'source pcap:a: 1 requests captured, but 2 ended or in flight',
      'source pcap:a: 1 packets received, but 0 accounted for',
    ]);
  });

  test('names that come later get slots in rows that are in use, the same in every thread', () => {
    const names = { sources: ['pcap:a'], targets: ['new'], filters: [] };
    const later = { ...names, targets: ['new', 'newer'], filters: [{ name: 'late', exclude: { path: '/x' } }] };
    const layouts = [ledgerLayout(names), ledgerLayout(names)];
    const [mine, theirs] = layouts;
    const row = layouts[0]?.createRow() ?? new Float64Array();
    const tally = new Tally(mine ?? layout, row, ['targets', 'new']);
    tally.capture();
    for (const each of layouts) each.extend(ledgerPaths(later));
    tally.end('filtered.late');
    new Tally(mine ?? layout, row, ['targets', 'newer']).capture();
    expect(buildReport(theirs ?? layout, [row]).targets).toMatchObject({
      new: { captured: 1, outcomes: { filtered: { late: 1 } } },
      newer: { captured: 1, latencyMs: { p99: null } },
    });
  });

  test('there is an end to the room for new names, and it is known before', () => {
    const small = ledgerLayout({ sources: ['pcap:a'], targets: ['new'], filters: [] });
    const many = ledgerPaths({ sources: ['pcap:a'], targets: Array.from({ length: 200 }, (_, index) => `t${index}`), filters: [] });
    expect([small.fits(many.slice(0, 2_000)), small.fits(many)]).toEqual([true, false]);
    expect(() => small.extend(many)).toThrow('no slot is left');
  });

  test('how long a target takes is told in quantiles', () => {
    const row = layout.createRow();
    for (let ms = 1; ms <= 100; ms++) row[layout.slot('latency', 'new', String(bucketOf(ms)))]++;
    const { p50, p99 } = buildReport(layout, [row]).targets['new']?.latencyMs ?? {};
    expect([Math.abs((p50 ?? 0) - 50) < 8, Math.abs((p99 ?? 0) - 99) < 12]).toEqual([true, true]);
    expect(buildReport(layout, [row]).targets['old']?.latencyMs).toEqual({ p50: null, p90: null, p99: null });
  });

  test('what one thread publishes, another reads whole', () => {
    const shared = createSharedRow(layout);
    const row = layout.createRow().map((_, slot) => slot);
    publishRow(shared, row, { publishedAtMs: 5, awaiting: 6, settled: 7 });
    expect(readRow(shared)).toEqual(row);
    expect(readPublication(shared)).toEqual({ publishedAtMs: 5, awaiting: 6, settled: 7 });
  });
});
