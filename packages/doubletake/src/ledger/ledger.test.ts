import { describe, expect, test } from 'vitest';
import { ledgerLayout } from '../engine/ledger-layout.ts';
import { createSharedRow, publishRow, readPublication, readRow } from './counters.ts';
import { buildReport, imbalances } from './report.ts';
import { Tally } from './tally.ts';

const layout = ledgerLayout(['vxlan:0.0.0.0:4789', 'pcap:a'], ['old', 'new'], []);

describe('the ledger', () => {
  test('counts of several workers and sources add up in the report', () => {
    const rows = [0, 1].map((worker) => {
      const row = new Float64Array(layout.size);
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
    const filtered = ledgerLayout(['pcap:a'], ['new'], [...filters, { name: 'api', include: { path: '/api' } }]);
    const row = new Float64Array(filtered.size);
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
    const tally = new Tally(layout, new Float64Array(layout.size), ['targets', 'new']);
    expect(() => tally.end('filtered.unknown')).toThrow('filtered.unknown');
  });

  test('a request that no stage holds and that has no outcome is found', () => {
    const row = new Float64Array(layout.size);
    new Tally(layout, row, ['targets', 'new']).capture();
    expect(imbalances(buildReport(layout, [row]))).toEqual(['target new: 1 requests captured, but 0 ended or in flight']);
  });

  test('so is one that ended twice, and a packet that was not accounted for', () => {
    const row = new Float64Array(layout.size);
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

  test('what one thread publishes, another reads whole', () => {
    const shared = createSharedRow(layout);
    const row = Float64Array.from({ length: layout.size }, (_, slot) => slot);
    publishRow(shared, row, { publishedAtMs: 5, awaiting: 6, settled: 7 });
    expect(readRow(shared)).toEqual(row);
    expect(readPublication(shared)).toEqual({ publishedAtMs: 5, awaiting: 6, settled: 7 });
  });
});
