import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lanes } from './lanes.ts';
import type { Pending } from './pending.ts';

type Action = { do: 'add'; lane: number } | { do: 'take' | 'retry' | 'takeRetry' | 'end' };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), lane: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ do: fc.constantFrom('take' as const, 'retry' as const, 'takeRetry' as const, 'end' as const) }),
);

const laneObjects = [null, {}, {}, {}];

test('whatever happens, a lane has one request out, in order, and nothing is lost or counted wrongly', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const lanes = new Lanes();
      const out: Pending[] = [];
      const ended: Pending[] = [];
      const added: Pending[] = [];
      for (const step of actions) {
        if (step.do === 'add') {
          const lane = laneObjects[step.lane] ?? null;
          const request = { bytes: [], length: added.length + 1, method: 'GET', lane, timeUs: 0, probability: 1 };
          const pending = { request, settle: () => {}, queuedAtMs: added.length, scheduledMs: Number.NaN, retried: false };
          added.push(pending);
          lanes.add(pending);
        } else if (step.do === 'take') out.push(...maybe(lanes.take()));
        else if (step.do === 'takeRetry') out.push(...maybe(lanes.takeRetry()));
        else if (step.do === 'retry') for (const pending of maybe(out.shift())) lanes.addRetry(pending);
        else {
          for (const pending of maybe(out.shift())) {
            lanes.release(pending);
            ended.push(pending);
          }
        }
        const outLanes = out.flatMap((pending) => pending.request.lane ?? []);
        expect(new Set(outLanes).size).toBe(outLanes.length);
        const waiting = added.filter((pending) => !out.includes(pending) && !ended.includes(pending));
        expect(lanes.count).toBe(waiting.length);
        expect(lanes.bytes).toBe(waiting.reduce((sum, pending) => sum + pending.request.length, 0));
      }
      for (const lane of laneObjects.slice(1)) {
        const order = ended.filter((pending) => pending.request.lane === lane).map((pending) => pending.queuedAtMs);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
      // Whatever is out ends, then all that waits can be had.
      for (const pending of out.splice(0)) {
        lanes.release(pending);
        ended.push(pending);
      }
      ended.push(...lanes.takeAll());
      expect(new Set(ended).size).toBe(added.length);
      expect(ended).toHaveLength(added.length);
      expect(lanes).toMatchObject({ count: 0, bytes: 0, ready: 0, retries: 0 });
    }),
  );
});

function maybe(pending: Pending | undefined): Pending[] {
  return pending === undefined ? [] : [pending];
}
