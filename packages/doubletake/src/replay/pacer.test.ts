import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pacer } from './pacer.ts';

const HOUR_US = 3_600_000_000;

/** When each request is due, of those captured at `timesUs` that come at `nowMs`. */
function dueTimes(speed: number, requests: readonly { timeUs: number; nowMs: number }[]): number[] {
  const pacer = new Pacer({ speed }, () => {});
  return requests.map(({ timeUs, nowMs }) => pacer.dueMs(timeUs, nowMs));
}

test.each<[string, number, [timeUs: number, nowMs: number][], number[]]>([
  ['as far apart as they were captured', 1, [[5e9, 100], [5e9 + 250_000, 100], [5e9 + 1e6, 100]], [100, 350, 1_100]],
  ['twice as fast', 2, [[0, 100], [1e6, 100]], [100, 600]],
  ['ten times slower', 0.1, [[0, 100], [1e6, 100]], [100, 10_100]],
  ['at once when the time has passed; others keep theirs', 1, [[0, 100], [1e6, 5_000], [6e6, 5_000]], [100, 5_000, 6_100]],
  ['not before those that came before', 1, [[1e6, 0], [3e6, 0], [2e6, 0], [4e6, 0]], [0, 2_000, 2_000, 3_000]],
  ['behind a gap of an hour then', 1, [[0, 0], [HOUR_US, 0]], [0, 3_600_000]],
  [
    'behind a jump ahead with the one before it',
    1,
    [[0, 0], [1e6, 0], [1e6 + 1 + HOUR_US, 0], [1.5e6 + 1 + HOUR_US, 0]],
    [0, 1_000, 1_000, 1_500],
  ],
  [
    'behind a jump back as well',
    1,
    [[5 * HOUR_US, 0], [5 * HOUR_US + 1e6, 0], [HOUR_US, 0], [HOUR_US + 5e5, 0]],
    [0, 1_000, 1_000, 1_500],
  ],
])('due %s', (_name, speed, requests, due) => {
  expect(dueTimes(speed, requests.map(([timeUs, nowMs]) => ({ timeUs, nowMs })))).toEqual(due);
});

test('at a rate, evenly, whatever the times; what comes late goes at once, and the others keep their time', () => {
  const pacer = new Pacer({ perSecond: 10 }, () => {});
  const due = [[5e9, 0], [1e9, 0], [9e9, 350], [9e9, 350], [9e9, 350]].map(([timeUs = 0, nowMs = 0]) => [pacer.dueMs(timeUs, nowMs), pacer.scheduledMs]);
  expect(due).toEqual([[0, 0], [100, 100], [350, 200], [350, 300], [400, 400]]);
});

test('how late a request is shows against its schedule, not against when it came', () => {
  const pacer = new Pacer({ speed: 1 }, () => {});
  const due = [[0, 100], [1e6, 5_000], [6e6, 5_000]].map(([timeUs = 0, nowMs = 0]) => [pacer.dueMs(timeUs, nowMs), pacer.scheduledMs]);
  expect(due).toEqual([[100, 100], [5_000, 1_100], [6_100, 6_100]]);
});

test('whatever the times: due no earlier than they come, in order, and in sum no later than the capture lasted', () => {
  const request = fc.record({
    stepUs: fc.oneof(fc.integer({ min: -5_000_000, max: 5_000_000 }), fc.integer({ min: -3 * HOUR_US, max: 3 * HOUR_US })),
    afterMs: fc.integer({ min: 0, max: 2_000 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), fc.double({ min: 0.1, max: 10, noNaN: true }), (steps, speed) => {
      let timeUs = 100 * HOUR_US;
      let nowMs = 0;
      const requests = steps.map(({ stepUs, afterMs }) => {
        timeUs += stepUs;
        nowMs += afterMs;
        return { timeUs, nowMs };
      });
      const due = dueTimes(speed, requests);
      let forwardUs = 0;
      for (const [index, dueMs] of due.entries()) {
        expect(dueMs).toBeGreaterThanOrEqual(requests[index]?.nowMs ?? 0);
        expect(dueMs).toBeGreaterThanOrEqual(due[index - 1] ?? 0);
        if (index > 0) forwardUs += Math.max(0, Math.min(HOUR_US, steps[index]?.stepUs ?? 0));
        expect(dueMs).toBeLessThanOrEqual(nowMs + forwardUs / 1_000 / speed + 0.001);
      }
    }),
  );
});
