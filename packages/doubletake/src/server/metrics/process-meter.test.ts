import { expect, test } from 'vitest';
import { eventually } from '../../../test/support/mirror.ts';
import { ProcessMeter } from './process-meter.ts';

test('a main thread that was busy shows in the lag, and in nothing but what it was', async () => {
  const meter = new ProcessMeter();
  try {
    await eventually('a first measurement', () => (meter.read().eventLoopLagSeconds.max > 0 ? true : null));
    const untilMs = performance.now() + 300;
    while (performance.now() < untilMs);
    const { max, p50 } = await eventually('the lag', () => {
      const lag = meter.read().eventLoopLagSeconds;
      return lag.max > 0.2 ? lag : null;
    });
    expect(p50).toBeLessThan(max);
    expect(meter.read()).toMatchObject({ startedAtMs: performance.timeOrigin, cpuSeconds: expect.any(Number) as number });
    expect(meter.read().residentBytes).toBeGreaterThan(1e7);
  } finally {
    meter.close();
  }
});
