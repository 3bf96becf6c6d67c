/**
 * Input of whoever can send packets: nothing crashes, memory stays bounded, every packet is counted as used, ignored or
 * malformed, and honest traffic beside it is replayed. Random input comes from a seed, which a failure names.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { InspectionSummary } from '../src/engine/inspection.ts';
import { imbalances, total } from '../src/ledger/report.ts';
import { pcapFile } from './support/capture-files.ts';
import { conversation } from './support/conversation.ts';
import { ipPacket, linkFrame, tcpFrame, tcpSegment, vxlan } from './support/frames.ts';
import { runCli, runCliMeasured, stopAll } from './support/mirror.ts';
import { client, exchanges, get, mirrorToRecorder, post, requestLines } from './support/requests.ts';

afterEach(stopAll);

/** Numbers from 0 to below `bound`, the same ones for a seed (mulberry32). */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** A damaged copy: bytes changed in the headers or anywhere, cut, extended, or with a piece repeated. */
function mutate(frame: Buffer, random: (bound: number) => number): Buffer {
  const copy = Buffer.from(frame);
  const touched = random(2) === 0 ? Math.min(54, copy.length) : copy.length;
  for (let change = random(6); change >= 0 && touched > 0; change--) copy[random(touched)] = random(256);
  switch (random(6)) {
    case 0:
      return copy.subarray(0, random(copy.length));
    case 1:
      return Buffer.concat([copy, Buffer.alloc(random(200), random(256))]);
    case 2:
      return Buffer.concat([copy.subarray(0, random(copy.length)), copy.subarray(random(copy.length))]);
    default:
      return copy;
  }
}

/** Frames of honest connections over all kinds of headers, to be damaged. */
function sampleFrames(): Buffer[] {
  const requests = [get('/honest'), post('/honest', 'some body')];
  return [
    ...exchanges(client(1), requests),
    ...exchanges(client(2), requests, { frame: { vlans: [7, 42] }, mss: 20 }),
    ...exchanges('[2001:db8::1]:4000', requests, { server: '[2001:db8::2]:80' }),
  ].map(({ frame }) => frame);
}

/** Lengths that lie, each in a place of its own. */
const lies: Record<string, Buffer> = {
  'an empty frame': Buffer.alloc(0),
  'half an Ethernet header': Buffer.alloc(7),
  'VLAN tags without end': Buffer.concat([Buffer.alloc(12), Buffer.alloc(4000, Buffer.from([0x81, 0x00, 0x00, 0x07]))]),
  'an IPv4 header of 0 bytes': patched(14, 0x40),
  'an IPv4 header beyond the frame': patched(14, 0x4f).subarray(0, 50),
  'an IPv4 length below its header': patched(16, 0, 10),
  'an IPv4 length beyond the frame': patched(16, 0xff, 0xff),
  'a TCP header of 0 bytes': patched(14 + 20 + 12, 0x00),
  'a TCP header beyond the packet': patched(14 + 20 + 12, 0xf0).subarray(0, 60),
  'a fragment beyond 64 KB': patched(20, 0x3f, 0xff),
  'IPv6 extension headers without end': linkFrame(
    ipPacket(6, tcpSegment({}), {
      source: '2001:db8::1',
      destination: '2001:db8::2',
      extensions: Array.from({ length: 200 }, () => ({ type: 60, header: Buffer.alloc(8) })),
    }),
  ),
  'an IPv6 length beyond the frame': (() => {
    const frame = tcpFrame({ source: '2001:db8::1', destination: '2001:db8::2' });
    frame.writeUInt16BE(0xffff, 18);
    return frame;
  })(),
};

function patched(at: number, ...bytes: number[]): Buffer {
  const frame = tcpFrame({ payload: get('/lie'), source: '10.66.0.1' });
  Buffer.from(bytes).copy(frame, at);
  return frame;
}

function summaryOf(stdout: string): InspectionSummary {
  return JSON.parse(stdout) as InspectionSummary;
}

describe('through the socket', () => {
  test('lengths that lie are counted, and honest requests arrive', async () => {
    const { target, mirror } = await mirrorToRecorder();
    const frames = Object.values(lies);
    await mirror.send(frames.map((frame) => ({ frame })));
    const noTunnel = [Buffer.alloc(0), Buffer.alloc(4), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(65_000)];
    await mirror.sendRaw(noTunnel);
    const honest = exchanges(client(9), [get('/honest')]);
    await mirror.send(honest);
    await target.received(1);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(imbalances(ledger)).toEqual([]);
    expect(ledger.packets.received).toBe(frames.length + noTunnel.length + honest.length);
    expect(total(ledger.packets.malformed)).toBeGreaterThanOrEqual(8);
    expect(requestLines(target)).toContain('GET /honest');
  });

  test('a flood of damaged packets and of noise: all counted, honest requests arrive', async () => {
    const seed = 20_260_101;
    const random = randomFrom(seed);
    const { target, mirror } = await mirrorToRecorder();
    const frames = sampleFrames();
    const any = (): Buffer => frames[random(frames.length)] ?? Buffer.alloc(0);
    const flood = Array.from({ length: 30_000 }, () => ({ frame: mutate(any(), random) }));
    const { residentMb } = mirror.memory();
    await mirror.sendPaced(flood);
    const noise = Array.from({ length: 3000 }, () => mutate(vxlan(1, any()), random));
    await mirror.sendRaw(noise);
    const honest = exchanges('172.31.0.1:5555', [get('/honest/after'), post('/honest/after', 'body')]);
    await mirror.send(honest);
    const sent = flood.length + noise.length + honest.length;
    const counted = await mirror.ledgerWhen('all packets', ({ packets }) => packets.received === sent);
    expect({ seed, imbalances: imbalances(counted) }).toEqual({ seed, imbalances: [] });
    expect(total(counted.packets.malformed)).toBeGreaterThan(1000);
    const { peakMb } = mirror.memory();
    const { ledger, code } = await mirror.stop();
    expect({ seed, code }).toEqual({ seed, code: 0 });
    expect(requestLines(target).filter((line) => line.endsWith('/honest/after'))).toHaveLength(2);
    expect(imbalances(ledger)).toEqual([]);
    expect(peakMb - residentMb).toBeLessThan(150);
  });
});

const inspect = ['inspect', '--summary', '--json', '-'];

describe('through a capture', () => {
  test('1,000,000 half-open connections', async () => {
    const count = 1_000_000;
    const { code, stdout, stderr, peakMb } = await runCliMeasured(inspect, halfOpenCapture(count));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(summaryOf(stdout)).toMatchObject({ packets: count, connections: 0, requests: 0 });
    expect(peakMb).toBeLessThan(300);
  });

  test('a request line without end', async () => {
    const line = function* (): Generator<Buffer> {
      yield pcapFile(exchanges(client(1), [], { fin: false }));
      const payload = Buffer.alloc(60_000, 'a');
      for (let offset = 0; offset < 60_000_000; offset += payload.length) {
        const [source = '', port] = client(1).split(':');
        const text = offset === 0 ? Buffer.concat([Buffer.from('GET /'), payload.subarray(5)]) : payload;
        const frame = tcpFrame({ source, sourcePort: Number(port), sequence: 1001 + offset, payload: text });
        yield pcapFile([{ frame, timeUs: 1_767_225_600_000_000 + offset }]).subarray(24);
      }
    };
    const { code, stdout, stderr, peakMb } = await runCliMeasured(inspect, line());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(summaryOf(stdout)).toMatchObject({ connections: 1, requests: 0, gaps: { count: 0 } });
    expect(peakMb).toBeLessThan(200);
  });

  test('200,000 requests that nobody answers', async () => {
    const each = 1000;
    const pipelined = Buffer.from(get('/unanswered').repeat(each));
    const flood = function* (): Generator<Buffer> {
      yield pcapFile([]);
      for (let index = 0; index < 200; index++) {
        const options = { client: client(index), mss: 60_000, acks: false, fin: false };
        yield pcapFile(conversation(options, [{ client: pipelined }])).subarray(24);
      }
    };
    const { code, stdout, stderr, peakMb } = await runCliMeasured(inspect, flood());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const count = 200 * each;
    expect(summaryOf(stdout)).toMatchObject({ requests: count, responses: 0, unpaired: { requests: count } });
    expect(peakMb).toBeLessThan(600);
  });

  test('segments anywhere in sequence space with any flags', async () => {
    const seed = 7;
    const random = randomFrom(seed);
    const count = 200_000;
    const payload = Buffer.from(get('/').repeat(30));
    const chaos = function* (): Generator<Buffer> {
      yield pcapFile([]);
      for (let index = 0; index < count; index++) {
        const fromClient = random(2) === 0;
        const ends = { sourcePort: 1000 + random(50), destinationPort: 80 };
        const frame = tcpFrame({
          ...(fromClient ? ends : { sourcePort: ends.destinationPort, destinationPort: ends.sourcePort }),
          ...(fromClient ? {} : { source: '10.0.1.2', destination: '10.0.2.5' }),
          sequence: random(8) === 0 ? random(2 ** 32) : random(5_000_000),
          acknowledgement: random(8) === 0 ? random(2 ** 32) : random(5_000_000),
          flags: random(4) === 0 ? random(256) : 0x18,
          payload: payload.subarray(random(200), random(payload.length)),
        });
        yield pcapFile([{ frame, timeUs: 1_767_225_600_000_000 + index * 50 }]).subarray(24);
      }
    };
    const { code, stdout, stderr, peakMb } = await runCliMeasured(inspect, chaos());
    expect({ seed, code, stderr }).toEqual({ seed, code: 0, stderr: '' });
    expect(summaryOf(stdout).packets).toBe(count);
    expect(peakMb).toBeLessThan(450);
  });

  test('damaged capture files end with one clear line or give what they hold', async () => {
    const random = randomFrom(42);
    const whole = pcapFile(exchanges(client(1), [get('/a'), post('/b', 'body')]));
    for (let round = 0; round < 12; round++) {
      const { code, stderr } = await runCli(['inspect', '-'], mutate(whole, random));
      expect(code === 0 || code === 2 ? 'as expected' : stderr).toBe('as expected');
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(stderr.split('\n').length).toBeLessThanOrEqual(2);
    }
  });
});

/** SYN packets of as many connections, in pieces. */
function* halfOpenCapture(count: number): Generator<Buffer> {
  yield pcapFile([]);
  const record = pcapFile([{ frame: tcpFrame({ flags: 0x02 }), timeUs: 1_767_225_600_000_000 }]).subarray(24);
  const addressAt = 16 + 14 + 12;
  const each = 1000;
  for (let first = 0; first < count; first += each) {
    const piece = Buffer.alloc(record.length * each);
    for (let index = 0; index < each; index++) {
      const at = index * record.length;
      record.copy(piece, at);
      piece.writeUInt32BE(0x0b00_0000 + first + index, at + addressAt);
    }
    yield piece;
  }
}
