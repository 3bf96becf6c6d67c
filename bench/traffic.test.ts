import { describe, expect, it } from 'vitest';
import { type PacketBatch, requestTexts, sentHeader, slotBytes, Traffic } from './traffic.ts';

function batch(slots: number): PacketBatch {
  return { bytes: Buffer.alloc(slots * slotBytes), slotBytes, lengths: new Int32Array(slots), count: 0 };
}

/** Reads the packets of a batch by the offsets of the RFCs: VXLAN at 0, Ethernet at 8, IPv4 at 22, TCP at 42. */
function read({ bytes, lengths, count }: PacketBatch) {
  return Array.from({ length: count }, (_, slot) => {
    const packet = bytes.subarray(slot * slotBytes, slot * slotBytes + lengths[slot]);
    expect([packet[0], packet.readUInt16BE(20), packet[22], packet[31]]).toEqual([8, 0x0800, 0x45, 6]);
    expect(packet.readUInt16BE(24)).toBe(packet.length - 22);
    return {
      from: `${packet.readUInt32BE(34)}:${packet.readUInt16BE(42)}`,
      to: `${packet.readUInt32BE(38)}:${packet.readUInt16BE(44)}`,
      sequence: packet.readUInt32BE(46),
      acknowledgement: packet.readUInt32BE(50),
      flags: packet[55],
      payload: packet.toString('latin1', 62),
    };
  });
}

function exchanges(traffic: Traffic, connection: number, count: number): ReturnType<typeof read> {
  const packets = batch(count * 4);
  for (let exchange = 0; exchange < count; exchange++) {
    traffic.request(connection, packets);
    traffic.response(connection, packets);
  }
  return read(packets);
}

function openAll(traffic: Traffic): ReturnType<typeof read> {
  const packets = batch(traffic.connections * 3);
  for (let connection = 0; connection < traffic.connections; connection++) traffic.open(connection, packets);
  return read(packets);
}

describe('generated traffic', () => {
  it('is a conversation whose numbers go on without a hole, round the end of the numbers too', () => {
    const traffic = new Traffic(1_000, 0);
    const opening = openAll(traffic);
    const sequences = Array.from({ length: traffic.connections }, (_, index) => opening[index * 3 + 1].sequence);
    const connection = sequences.indexOf(Math.max(...sequences));
    const packets = [
      ...opening.slice(connection * 3, connection * 3 + 3),
      ...exchanges(traffic, connection, Math.ceil((2 ** 32 - sequences[connection]) / 1_000) + 1),
    ];

    const next = new Map<string, number>();
    let wrapped = 0;
    for (const { from, to, sequence, acknowledgement, flags, payload } of packets) {
      expect(sequence).toBe(next.get(from) ?? sequence);
      expect(acknowledgement).toBe(next.get(to) ?? 0);
      const after = (sequence + payload.length + ((flags & 0x02) >> 1)) >>> 0;
      if (after < sequence) wrapped++;
      next.set(from, after);
    }
    expect(next.size).toBe(2);
    expect(wrapped).toBe(1);
  });

  it('asks with a whole request and answers with a whole response', () => {
    const packets = exchanges(new Traffic(1, 0), 0, 2);
    const [first, , answer, , second] = packets;
    expect(first.payload).toBe(requestTexts.page);
    expect(second.payload).toBe(requestTexts.page.replace('000000000?', '000000001?'));
    const [head, body] = answer.payload.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(Number(/Content-Length: (\d+)/.exec(head)?.[1])).toBe(body.length);
  });

  it('sends orders of 1 KB, each of somebody else', () => {
    const orders = exchanges(new Traffic(1, 0, 'order'), 0, 2).filter(({ payload }) => payload.startsWith('POST'));
    const bodies = orders.map(({ payload }) => payload.slice(payload.indexOf('\r\n\r\n') + 4));
    for (const [index, body] of bodies.entries()) {
      expect(orders[index].payload).toContain(`Content-Length: ${body.length}\r\n`);
      expect(JSON.parse(body)).toMatchObject({ customer: { email: `anna.schmidt.00000000${index}@mail.example.de` } });
    }
    expect(bodies[0].length).toBeGreaterThan(1_000);
  });

  it('tells the time in every nth request, and only there', () => {
    const before = process.hrtime.bigint();
    const requests = exchanges(new Traffic(1, 3), 0, 6).filter(({ payload }) => payload.startsWith('GET'));
    const stamps = requests.map(({ payload }) => BigInt(new RegExp(`${sentHeader}: (\\d+)`).exec(payload)?.[1] ?? -1));
    expect(stamps.map((stamp) => stamp > before)).toEqual([true, false, false, true, false, false]);
    expect(stamps[1]).toBe(0n);
  });

  it('keeps connections apart', () => {
    const clients = openAll(new Traffic(10_000, 0)).map(({ from }) => from);
    expect(new Set(clients).size).toBe(10_001);
  });
});
