import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CopiedConnection } from './copied-connection.ts';
import { CopyOutlet } from './copy-outlet.ts';
import { CopyKind, CopyReader, CopyWriter, createCopyRing } from './copy-ring.ts';
import { decodeEndpoints, encodeEndpoints, endpointOf } from './endpoints.ts';

const client = endpointOf('192.0.2.7', 4_711);
const server = endpointOf('2001:db8::1', 80);

/** What a reader learned of one direction: each byte relayed, or null where it was not copied. */
class Learned {
  readonly bytes: (number | null)[] = [];
  ended = false;
}

type Step = { direction: 0 | 1; length: number } | { end: 0 | 1 } | 'read' | 'settle';
const direction = fc.constantFrom(0 as const, 1 as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ direction, length: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ end: direction }) },
  { weight: 3, arbitrary: fc.constant('read' as const) },
  { weight: 1, arbitrary: fc.constant('settle' as const) },
);

test('each byte relayed is in the copy once or in a gap once, in order, whenever the reader reads', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, broken) => {
      const ring = createCopyRing(1024);
      const reader = new CopyReader(ring);
      const outlet = new CopyOutlet(new CopyWriter(ring, () => {}));
      const counts = { gaps: 0, gapBytes: 0 };
      const copy = new CopiedConnection(7, 3, encodeEndpoints(client, server), outlet, counts);
      const sent = [Buffer.alloc(0), Buffer.alloc(0)];
      const ended = [false, false];
      const learned = [new Learned(), new Learned()];
      let opened = 0;
      let closed: 'no' | 'fin' | 'reset' = 'no';
      let gapBytes = 0;
      const readOne = (): boolean => {
        if (!reader.next()) return false;
        const { kind, start, end, sequence, acknowledgement } = reader;
        const one = learned[reader.direction];
        expect({ closed, connection: reader.connection, source: reader.source }).toEqual({ closed: 'no', connection: 7, source: 3 });
        if (kind === CopyKind.open) {
          expect(decodeEndpoints(reader.bytes.subarray(start, end))).toEqual({
            addresses: Int32Array.of(...client.address, ...server.address),
            ports: [4_711, 80],
          });
          opened++;
        } else if (kind === CopyKind.data) {
          expect({ sequence, ended: one.ended }).toEqual({ sequence: one.bytes.length, ended: false });
          // What this side had received of the other is told before.
          expect(acknowledgement).toBe(learned[1 - reader.direction].bytes.length);
          one.bytes.push(...reader.bytes.subarray(start, end));
        } else if (kind === CopyKind.gap) {
          expect(sequence).toBe(one.bytes.length);
          one.bytes.push(...Array<null>(acknowledgement).fill(null));
          gapBytes += acknowledgement;
        } else if (kind === CopyKind.end) one.ended = true;
        else closed = reader.direction === 1 ? 'reset' : 'fin';
        return true;
      };
      for (const action of steps) {
        if (action === 'read') readOne();
        else if (action === 'settle') outlet.settle();
        else if ('end' in action) {
          if (!ended[action.end]) copy.end(action.end);
          ended[action.end] = true;
        } else if (!ended[action.direction]) {
          const bytes = Buffer.alloc(action.length, sent[action.direction].length + 1);
          sent[action.direction] = Buffer.concat([sent[action.direction], bytes]);
          copy.data(action.direction, bytes);
        }
      }
      copy.close(broken ? 'reset' : 'fin');
      do outlet.settle();
      while (readOne() || !outlet.settled);
      while (readOne());

      const bytes = sent[0].length + sent[1].length;
      expect({ opened, closed }).toEqual(bytes > 0 ? { opened: 1, closed: broken ? 'reset' : 'fin' } : { opened: 0, closed: 'no' });
      for (const [index, { bytes: known, ended: told }] of learned.entries()) {
        expect(known.map((byte, at) => byte ?? sent[index][at])).toEqual([...sent[index]]);
        expect(told).toBe(bytes > 0 && ended[index]);
      }
      expect({ counted: counts.gapBytes, none: counts.gaps === 0 }).toEqual({ counted: gapBytes, none: gapBytes === 0 });
    }),
  );
});

test('a worker that is gone has lost what it did not read, and gets nothing more', () => {
  const ring = createCopyRing(1024);
  const reader = new CopyReader(ring);
  const outlet = new CopyOutlet(new CopyWriter(ring, () => {}));
  const counts = { gaps: 0, gapBytes: 0 };
  const copy = new CopiedConnection(1, 0, encodeEndpoints(client, server), outlet, counts);
  for (let index = 0; index < 5; index++) copy.data(0, Buffer.alloc(10));
  while (reader.kind !== CopyKind.data) reader.next();
  reader.next();
  outlet.abandon(() => counts);
  copy.data(1, Buffer.alloc(7));
  copy.close('fin');
  // Four of five: one was read for sure.
  expect(counts.gapBytes).toBe(40 + 7);
  expect({ alive: outlet.alive, open: outlet.open, settled: outlet.settled }).toEqual({ alive: false, open: false, settled: true });
});
