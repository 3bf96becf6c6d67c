import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SampleFloor } from './sample-floor.ts';

const minuteUs = 60_000_000;
const startUs = 1_767_225_600_000_000;

/** How many of so many requests of an endpoint at one time are taken. */
function takenOf(floor: SampleFloor, requests: number, endpoint: string, timeUs: number): number {
  let taken = 0;
  for (let request = 0; request < requests; request++) if (floor.takes(endpoint, timeUs)) taken++;
  return taken;
}

describe('SampleFloor', () => {
  test('takes the first requests of each endpoint in each minute', () => {
    const request = fc.record({ endpoint: fc.constantFrom('GET /a', 'GET /b', 'HEAD /a'), stepUs: fc.nat(minuteUs / 2) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(request, { maxLength: 200 }), (perMinute, requests) => {
        const floor = new SampleFloor(perMinute);
        const seen = new Map<string, number>();
        let timeUs = startUs;
        for (const { endpoint, stepUs } of requests) {
          timeUs += stepUs;
          const key = `${Math.floor(timeUs / minuteUs)} ${endpoint}`;
          const before = seen.get(key) ?? 0;
          seen.set(key, before + 1);
          expect(floor.takes(endpoint, timeUs)).toBe(before < perMinute);
        }
      }),
    );
  });

  test('a request that ends late counts in its own minute', () => {
    const floor = new SampleFloor(2);
    expect(takenOf(floor, 1, 'GET /', startUs)).toBe(1);
    expect(takenOf(floor, 9, 'GET /', startUs + minuteUs)).toBe(2);
    expect(takenOf(floor, 9, 'GET /', startUs + minuteUs - 1)).toBe(1);
    expect(takenOf(floor, 9, 'GET /', startUs + minuteUs)).toBe(0);
  });

  test('sources whose clocks differ do not start each other\'s minutes anew', () => {
    const floor = new SampleFloor(2);
    const times = [startUs, startUs - 1e12, startUs + 1e12];
    const taken = [0, 0, 0];
    for (let round = 0; round < 10; round++) {
      times.forEach((timeUs, source) => (taken[source] += takenOf(floor, 1, 'GET /', timeUs + round)));
    }
    expect(taken).toEqual([2, 2, 2]);
  });

  test('endpoints beyond 10,000 in a minute share one count', () => {
    const floor = new SampleFloor(3);
    const takenOfEach = (first: number, count: number, timeUs: number): number => {
      let taken = 0;
      for (let index = first; index < first + count; index++) taken += takenOf(floor, 5, `GET /page-${index}`, timeUs);
      return taken;
    };
    expect(takenOfEach(0, 10_000, startUs)).toBe(30_000);
    expect(takenOfEach(10_000, 2_000, startUs)).toBe(3);
    expect(takenOfEach(0, 10, startUs)).toBe(0);
    expect(takenOfEach(10_000, 100, startUs + minuteUs)).toBe(300);
  });
});
