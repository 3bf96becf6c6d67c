import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CopyKind, CopyReader, CopyWriter, createCopyRing } from './copy-ring.ts';

const ringBytes = 1024;

interface Written {
  connection: number;
  source: number;
  direction: number;
  timeUs: number;
  sequence: number;
  acknowledgement: number;
  payload: Buffer;
}

function write(writer: CopyWriter, { connection, source, direction, timeUs, sequence, acknowledgement, payload }: Written): boolean {
  return writer.write(CopyKind.data, connection, source, direction, timeUs, sequence, acknowledgement, payload);
}

function current(reader: CopyReader): Written {
  const { connection, source, direction, timeUs, sequence, acknowledgement, bytes, start, end } = reader;
  return { connection, source, direction, timeUs, sequence, acknowledgement, payload: Buffer.from(bytes.subarray(start, end)) };
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const record: fc.Arbitrary<Written> = fc.record({
  connection: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  source: fc.integer({ min: 0, max: 1000 }),
  direction: fc.integer({ min: 0, max: 1 }),
  timeUs: fc.double({ noNaN: true }),
  sequence: word,
  acknowledgement: word,
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

describe('a ring of copies', () => {
  test('gives back what was written, in order, and refuses only what has no room', () => {
    const steps = fc.array(fc.oneof(record, fc.constant('read' as const)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (actions) => {
        const ring = createCopyRing(ringBytes);
        const writer = new CopyWriter(ring, () => {});
        const reader = new CopyReader(ring);
        const model: Written[] = [];
        for (const action of actions) {
          if (action === 'read') {
            expect(reader.next()).toBe(model.length > 0);
            const expected = model.shift();
            if (expected !== undefined) expect(current(reader)).toEqual(expected);
            continue;
          }
          const accepted = write(writer, action);
          // The record that was read last keeps its place until the next is asked for, and one may not be cut in two.
          const held = model.reduce((sum, { payload }) => sum + 40 + payload.length, 0);
          if (held + 2 * (40 + 300) + 40 + action.payload.length <= ringBytes) expect(accepted).toBe(true);
          if (accepted) model.push(action);
          expect(held).toBeLessThan(ringBytes + 40 * 30);
        }
        for (const expected of model) {
          expect(reader.next()).toBe(true);
          expect(current(reader)).toEqual(expected);
        }
        expect(reader.next()).toBe(false);
        expect(reader.position).toBe(writer.position);
      }),
    );
  });

  const small = { connection: 1, source: 2, direction: 1, timeUs: 0, sequence: 0, acknowledgement: 0, payload: Buffer.alloc(10) };

  test('wakes a reader that sleeps, once', () => {
    const ring = createCopyRing(ringBytes);
    let woken = 0;
    const writer = new CopyWriter(ring, () => woken++);
    const reader = new CopyReader(ring);
    write(writer, small);
    expect(woken).toBe(0);
    expect(reader.sleep()).toBe(false);
    reader.next();
    expect(reader.next()).toBe(false);
    expect(reader.sleep()).toBe(true);
    write(writer, small);
    write(writer, small);
    expect(woken).toBe(1);
  });

  test('knows what was never read, by source', () => {
    const ring = createCopyRing(ringBytes);
    const writer = new CopyWriter(ring, () => {});
    const reader = new CopyReader(ring);
    let written = 0;
    // Far enough for the end of the ring to have gone by.
    for (let round = 0; round < 100; round++) {
      while (write(writer, { ...small, source: written % 2 })) written++;
      while (written % 7 !== 0 && reader.next()) written++;
    }
    while (reader.next());
    for (const source of [3, 4, 3]) write(writer, { ...small, source });
    reader.next();
    reader.next();
    const unread: [number, number][] = [];
    writer.unread((source, bytes) => unread.push([source, bytes]));
    // The first two were taken, of which the second may not have been used.
    expect(unread).toEqual([
      [4, 10],
      [3, 10],
    ]);
  });
});
