import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

interface Numbered {
  value: number;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), value: fc.integer({ min: 0, max: 20 }) }),
  fc.record({ kind: fc.constant('later' as const), value: fc.integer({ min: 0, max: 20 }) }),
  fc.constant({ kind: 'take' as const, value: 0 }),
);

test('the first of a heap is the least of all that were put into it and not taken out', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new Heap<Numbered>((a, b) => a.value < b.value);
      let model: Numbered[] = [];
      for (const { kind, value } of steps) {
        if (kind === 'push') {
          const element = { value };
          heap.push(element);
          model.push(element);
        } else if (kind === 'take') {
          const taken = heap.take();
          model = model.filter((element) => element !== taken);
        } else if (heap.first !== undefined) {
          heap.first.value += value;
          heap.resettleFirst();
        }
        expect(heap.size).toBe(model.length);
        expect(heap.first?.value).toBe(model.length === 0 ? undefined : Math.min(...model.map((element) => element.value)));
      }
    }),
  );
});
