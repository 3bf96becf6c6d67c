import { describe, expect, test } from 'vitest';
import { Watchdog } from './watchdog.ts';

const limits = { silentMsMax: 3_000, stalledMsMax: 40_000 };

describe('Watchdog', () => {
  test('an idle pipeline is healthy for as long as it runs', () => {
    const watchdog = new Watchdog(limits);
    for (let now = 0; now < 1_000_000; now += 1_000) {
      expect(watchdog.observe([{ publishedAtMs: now, awaiting: 0, settled: 7 }], now)).toBeNull();
    }
  });

  test('a worker that stopped publishing is named', () => {
    const watchdog = new Watchdog(limits);
    const running = { publishedAtMs: 3_500, awaiting: 0, settled: 0 };
    expect(watchdog.observe([running, { ...running, publishedAtMs: 0 }], 3_500)).toBe('worker 1 has not run for 4 s');
  });

  test('requests that wait without any outcome are a stuck stage, and progress clears it', () => {
    const watchdog = new Watchdog(limits);
    const at = (nowMs: number, settled: number): string | null =>
      watchdog.observe([{ publishedAtMs: nowMs, awaiting: 5, settled }], nowMs);
    expect(at(0, 10)).toBeNull();
    expect(at(40_000, 10)).toBeNull();
    expect(at(40_001, 10)).toBe('replay in worker 0 is stuck: 5 requests wait, none ended for 40 s');
    expect(at(40_002, 11)).toBeNull();
  });
});
