import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Side, StreamLog, Wire } from '../../test/support/segments.ts';
import { createSegment, type Segment } from '../packets/segment.ts';
import { FlowTable } from './flow-table.ts';

/**
 * Random conversations against a byte map: every stream is a Buffer, and each delivered byte must be the byte at its
 * sequence number. Whatever happens to the segments, calls tile a stream without hole or overlap.
 */

const sides: Side[] = ['client', 'server'];

/** Pseudo-random bytes without a short period, so that a byte in the wrong place shows. */
function streamBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed | 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** A piece of a side's stream. */
interface Cut {
  side: Side;
  from: number;
  to: number;
}

interface Conversation {
  wire: Wire;
  streams: Record<Side, Buffer>;
  cuts: Cut[];
}

const isn = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }));

function cutsOf(side: Side, length: number): fc.Arbitrary<Cut[]> {
  return fc.array(fc.integer({ min: 0, max: length }), { maxLength: 12 }).map((points) => {
    const sorted = [...new Set([0, ...points, length])].toSorted((a, b) => a - b);
    return sorted.slice(1).map((to, index) => ({ side, from: sorted[index], to }));
  });
}

function extrasOf(side: Side, length: number): fc.Arbitrary<Cut[]> {
  const point = fc.integer({ min: 0, max: length });
  const extra = fc.tuple(point, point).map(([a, b]) => ({ side, from: Math.min(a, b), to: Math.max(a, b) }));
  return fc.array(extra, { maxLength: 5 });
}

const lengths = fc.integer({ min: 1, max: 200 });

/** Both streams cut into segments, with overlapping extra ones, in the order sent. */
const conversation: fc.Arbitrary<Conversation> = fc
  .record({ clientIsn: isn, serverIsn: isn, clientHigh: fc.boolean(), client: lengths, server: lengths })
  .chain((options) =>
    fc
      .tuple(
        cutsOf('client', options.client),
        cutsOf('server', options.server),
        extrasOf('client', options.client),
        extrasOf('server', options.server),
      )
      .map((cuts) => ({
        wire: new Wire(options),
        streams: { client: streamBytes(options.client, 1), server: streamBytes(options.server, 2) },
        cuts: cuts.flat(),
      })),
  );

function segmentOf({ wire, streams }: Conversation, cut: Cut, ack: number | null, timeUs = 0): Segment {
  const fin = cut.to === streams[cut.side].length && cut.to > cut.from;
  return wire.send(cut.side, cut.from, streams[cut.side].subarray(cut.from, cut.to), { ack, fin, timeUs });
}

/** Checks the calls for one side against the byte map, and returns the delivered bytes with gaps as null. */
function checkTiling(log: StreamLog, { wire, streams }: Conversation, side: Side): (number | null)[] {
  const seen: (number | null)[] = [];
  const calls = log.calls.filter((call) => call.side === side);
  if (calls.length === 0) return seen;
  const start = (calls[0].sequence - wire.sequence(side, 0)) >>> 0;
  expect(start).toBeLessThanOrEqual(streams[side].length);
  for (const { sequence, bytes, length } of calls) {
    const offset = start + seen.length;
    expect(sequence).toBe(wire.sequence(side, offset));
    if (bytes === null) {
      for (let at = 0; at < length; at++) seen.push(null);
    } else {
      expect(bytes.equals(streams[side].subarray(offset, offset + length))).toBe(true);
      seen.push(...bytes);
    }
  }
  return seen;
}

function checkCounters(table: FlowTable<unknown>): void {
  const c = table.counters;
  expect(c.deliveredBytes + c.retransmittedBytes + c.beforeStartBytes + c.ignoredBytes).toBe(c.payloadBytes);
  expect(c.bufferedBytes).toBe(0);
  const closedEarly = c.closedReset + c.closedReused + c.closedEvicted + c.closedIdle;
  expect(c.opened).toBe(c.closedFin + closedEarly + c.closedFlushed);
  expect(table.pendingHoles).toBe(0);
}

/** A permutation of an array, as numbers to sort by. */
function ordered<T>(items: readonly T[], keys: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, key: keys[index % keys.length] + index * 1e-9 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

const keys = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 });

test('any cut, order, duplication and overlap gives the same streams, without a gap', () => {
  fc.assert(
    fc.property(conversation, keys, (talk, order) => {
      const log = new StreamLog();
      const table = new FlowTable(log);
      table.push(talk.wire.syn());
      table.push(talk.wire.synAck());
      for (const cut of ordered(talk.cuts, order)) table.push(segmentOf(talk, cut, 0));
      for (const side of sides) expect(checkTiling(log, talk, side)).toEqual([...talk.streams[side]]);
      expect(log.lines.filter((line) => line.endsWith(' end'))).toHaveLength(2);
      expect(log.lines.at(-1)).toBe('close fin');
      checkCounters(table);
    }),
    { numRuns: 500 },
  );
});

test('so it does with acknowledgements of all that was seen, also when the handshake comes late', () => {
  fc.assert(
    fc.property(conversation, keys, fc.boolean(), (talk, order, synAckFirst) => {
      const log = new StreamLog();
      const table = new FlowTable(log, { canStart: () => false });
      const seen = { client: new Set<number>(), server: new Set<number>() };
      const contiguous = (side: Side): number => {
        let at = 0;
        while (seen[side].has(at)) at++;
        return at;
      };
      const handshake = [talk.wire.syn(), talk.wire.synAck()];
      const late = ordered(talk.cuts, order);
      const early = late.splice(0, 3);
      for (const cut of early) {
        table.push(segmentOf(talk, cut, null));
        for (let at = cut.from; at < cut.to; at++) seen[cut.side].add(at);
      }
      for (const segment of synAckFirst ? handshake.toReversed() : handshake) table.push(segment);
      for (const cut of late) {
        for (let at = cut.from; at < cut.to; at++) seen[cut.side].add(at);
        table.push(segmentOf(talk, cut, contiguous(cut.side === 'client' ? 'server' : 'client')));
      }
      for (const side of sides) expect(checkTiling(log, talk, side)).toEqual([...talk.streams[side]]);
      checkCounters(table);
    }),
    { numRuns: 500 },
  );
});

test('any loss, truncation and acknowledgement gives data and gaps that tile the streams', () => {
  const fate = fc.record({
    lost: fc.boolean(),
    cutOff: fc.nat(20),
    ack: fc.option(fc.nat(200)),
    stepUs: fc.constantFrom(0, 10, 5_000, 30_000, 1_500_000),
    tick: fc.boolean(),
  });
  const fates = fc.array(fate, { minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(conversation, keys, fates, fc.boolean(), fc.boolean(), (talk, order, hit, syn, startable) => {
      const log = new StreamLog();
      const table = new FlowTable(log, { canStart: () => startable, streamBufferBytesMax: 2_000 });
      const seen = { client: new Set<number>(), server: new Set<number>() };
      let timeUs = 0;
      if (syn) table.push(talk.wire.syn());
      for (const [index, cut] of ordered(talk.cuts, order).entries()) {
        const { lost, cutOff, ack, stepUs, tick } = hit[index % hit.length];
        timeUs += stepUs;
        if (tick) table.tick(timeUs);
        if (lost) continue;
        const peer: Side = cut.side === 'client' ? 'server' : 'client';
        const acked = ack === null ? null : Math.min(ack, talk.streams[peer].length);
        const segment = segmentOf(talk, cut, acked, timeUs);
        const missing = Math.min(cutOff, cut.to - cut.from);
        segment.payloadEnd -= missing;
        segment.payloadMissing = missing;
        for (let at = cut.from; at < cut.to - missing; at++) seen[cut.side].add(at);
        table.push(segment);
      }
      table.flush(timeUs);
      for (const side of sides) {
        const delivered = checkTiling(log, talk, side);
        const first = log.calls.find((call) => call.side === side);
        const start = first === undefined ? 0 : (first.sequence - talk.wire.sequence(side, 0)) >>> 0;
        for (const [index, byte] of delivered.entries()) {
          if (byte !== null) expect(seen[side].has(start + index)).toBe(true);
        }
      }
      checkCounters(table);
    }),
    { numRuns: 1_000 },
  );
});

test('interleaved connections do not touch each other', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(conversation, keys), { minLength: 2, maxLength: 5 }), (talks) => {
      const alone = talks.map(([talk, order], index) => {
        const wire = new Wire({ clientPort: 1_000 + index, clientIsn: index * 0x3fff_ffff });
        const segments = ordered(talk.cuts, order).map((cut) => segmentOf({ ...talk, wire }, cut, null));
        return { ...talk, wire, segments: [wire.syn(), wire.synAck(), ...segments] };
      });
      const log = new StreamLog();
      const table = new FlowTable(log);
      const longest = Math.max(...alone.map(({ segments }) => segments.length));
      for (let round = 0; round < longest; round++) {
        for (const { segments } of alone) if (round < segments.length) table.push(segments[round]);
      }
      expect(table.counters.opened).toBe(alone.length);
      const streams = new Map<string, Buffer[]>();
      for (const { id, side, bytes } of log.calls) {
        const key = `${id} ${side}`;
        if (bytes !== null) streams.set(key, [...(streams.get(key) ?? []), bytes]);
      }
      const got = [...streams.values()].map((parts) => Buffer.concat(parts).toString('hex'));
      const sent = alone.flatMap((talk) => sides.map((side) => talk.streams[side].toString('hex')));
      expect(got.toSorted()).toEqual(sent.toSorted());
      checkCounters(table);
    }),
    { numRuns: 100 },
  );
});

test('hostile segments never throw and stay within the bounds', () => {
  const number = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }),
    fc.constantFrom(0x0100_0000, 0x00ff_ffff, 0x8000_0000),
  );
  const hostile = fc.record({
    port: fc.integer({ min: 0, max: 6 }),
    reverse: fc.boolean(),
    sequence: number,
    acknowledgement: number,
    flags: fc.oneof(fc.constantFrom(0x10, 0x18, 0x02, 0x12), fc.integer({ min: 0, max: 255 })),
    length: fc.integer({ min: 0, max: 120 }),
    missing: fc.constantFrom(0, 0, 0, 1, 70),
    stepUs: fc.constantFrom(0, 1, 10_000, 25_000, -40_000, 2_000_000),
    tick: fc.constantFrom(false, false, true),
  });
  const bytes = streamBytes(120, 3);
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 200 }), (attack) => {
      const log = new StreamLog();
      const table = new FlowTable(log, {
        connectionsMax: 4,
        streamBufferBytesMax: 800,
        totalBufferBytesMax: 2_000,
        idleUs: 3e6,
        quietUs: 4e6,
        canStart: (buffer, start) => buffer[start] % 2 === 0,
      });
      const expected = new Map<string, number>();
      let timeUs = 1e9;
      for (const step of attack) {
        timeUs += step.stepUs;
        const segment = createSegment();
        segment.sourcePort = step.reverse ? 80 : step.port;
        segment.destinationPort = step.reverse ? step.port : 80;
        const { sequence, acknowledgement, flags, length: payloadEnd, missing: payloadMissing } = step;
        Object.assign(segment, { sequence, acknowledgement, flags, bytes, payloadEnd, payloadMissing, timeUs });
        table.push(segment);
        if (step.tick) table.tick(timeUs);
        expect(table.counters.bufferedBytes).toBeLessThanOrEqual(2_000);
        expect(table.counters.active + table.counters.halfOpen).toBeLessThanOrEqual(4);
      }
      table.flush(timeUs);
      for (const { id, side, sequence, length } of log.calls) {
        const key = `${id} ${side}`;
        expect(sequence).toBe(expected.get(key) ?? sequence);
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(2 ** 24 + 200);
        expected.set(key, (sequence + length) >>> 0);
      }
      checkCounters(table);
    }),
    { numRuns: 1_000 },
  );
});
