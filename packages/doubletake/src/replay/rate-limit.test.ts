import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

/** Most requests that went in any interval, beyond what the rate gives for it. */
function mostBeyondRate(takenUs: readonly number[], perSecond: number): number {
  let most = 0;
  // The best interval that ends here begins where this is least: one pass does it.
  let least = Infinity;
  for (const [index, atUs] of takenUs.entries()) {
    const beyond = index - (atUs / 1e6) * perSecond;
    least = Math.min(least, beyond);
    most = Math.max(most, beyond - least + 1);
  }
  return most;
}

describe('one thread', () => {
  test('never more than the rate and the burst in any interval, and no fewer than a token bucket lets through', () => {
    const gapUs = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 3_000_000 }));
    const rate = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.double({ min: 0.01, max: 50, noNaN: true }));
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 50 }), fc.array(gapUs, { maxLength: 300 }), (perSecond, burst, gaps) => {
        const limit = new RateLimit(RateLimit.createShared(), { perSecond, burst });
        let nowUs = 5_000_000_000;
        let tokens = burst;
        const taken: number[] = [];
        for (const gap of gaps) {
          nowUs += gap;
          tokens = Math.min(burst, tokens + (gap / 1e6) * perSecond);
          const wait = limit.waitMs(nowUs);
          const went = limit.take(nowUs);
          expect(went).toBe(wait === 0);
          // Rounding to nanoseconds may differ by a hair.
          if (Math.abs(tokens - 1) > 0.001) expect(went).toBe(tokens > 1);
          if (!went) expect((wait / 1e3) * perSecond).toBeCloseTo(1 - tokens, 1);
          if (went) {
            tokens -= 1;
            taken.push(nowUs);
          }
        }
        expect(mostBeyondRate(taken, perSecond)).toBeLessThanOrEqual(burst + 1e-6);
      }),
    );
  });

  test.each([
    [1_000, 100],
    [15, 1],
    [0.5, 1],
  ])('at %d a second the burst is %d unless said otherwise', (perSecond, burst) => {
    const limit = new RateLimit(RateLimit.createShared(), { perSecond });
    let taken = 0;
    while (limit.take(1e9)) taken++;
    expect(taken).toBe(burst);
  });

  test('a source that waits is charged for what it sends, and then waits for all of it', () => {
    const limit = new RateLimit(RateLimit.createShared(), { perSecond: 10, burst: 1 });
    for (let count = 0; count < 20; count++) limit.charge(1e9);
    expect(limit.take(1e9)).toBe(false);
    expect(limit.waitMs(1e9)).toBe(2_000);
    expect(limit.waitMs(1e9 + 2_000_000)).toBe(0);
  });

  test('the clock is that of the moment unless one is given', () => {
    const limit = new RateLimit(RateLimit.createShared(), { perSecond: 0.001, burst: 2 });
    limit.charge();
    expect([limit.take(), limit.take()]).toEqual([true, false]);
    expect(limit.waitMs()).toBeGreaterThan(900_000);
  });
});

test('two threads together never exceed it, and each gets through', async () => {
  const perSecond = 20_000;
  const burst = 10;
  // Each begins when both are there, takes as fast as it can, and says when it succeeded.
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { RateLimit } = await import(workerData.rateLimit);
      const { sharedNowUs } = await import(workerData.clock);
      const limit = new RateLimit(workerData.shared, workerData);
      const taken = [];
      const present = new Int32Array(workerData.present);
      Atomics.add(present, 0, 1);
      while (Atomics.load(present, 0) < 2) ;
      while (taken.length < 1000) {
        const nowUs = sharedNowUs();
        if (limit.take(nowUs)) taken.push(nowUs);
      }
      parentPort.postMessage(taken);
    })();
  `;
  const workerData = {
    rateLimit: new URL('rate-limit.ts', import.meta.url).href,
    clock: new URL('shared-clock.ts', import.meta.url).href,
    shared: RateLimit.createShared(),
    present: new SharedArrayBuffer(4),
    perSecond,
    burst,
  };
  const taken = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<number[]>((resolve, reject) => {
          const worker = new Worker(source, { eval: true, workerData });
          onTestFinished(async () => {
            await worker.terminate();
          });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  const all = taken.flat().toSorted((a, b) => a - b);
  expect(all).toHaveLength(2_000);
  expect(mostBeyondRate(all, perSecond)).toBeLessThanOrEqual(burst + 1e-6);
});
