import { describe, expect, test } from 'vitest';
import { ipPacket, tcpSegment } from '../../test/support/frames.ts';
import { connectionNumber, TapBudget } from './tap-budget.ts';

interface Load {
  packetsPerSecond: number;
  /** What sending one costs, looking at one that is not sent, and a block that is left unread. */
  sendUs: number;
  lookUs: number;
}

const blockPackets = 100;
const packetBytes = 500;
const connections = 997;

/** A tap under steady load, a millisecond at a time. `cpuShare` and `sentPerSecond` are of the second half. */
function simulate(limits: ConstructorParameters<typeof TapBudget>[0], load: Load, seconds: number) {
  const budget = new TapBudget(limits, 0, 0);
  let [nowUs, cpuUs, sent, packets, due] = [0, 0, 0, 0, 0];
  let half = { cpuUs: 0, sent: 0 };
  const kept = new Map<number, number>();
  while (nowUs < seconds * 1e6) {
    nowUs += 1_000;
    if (nowUs === (seconds * 1e6) / 2) half = { cpuUs, sent };
    for (due += load.packetsPerSecond / 1_000; due >= blockPackets; due -= blockPackets) {
      budget.observe(nowUs, cpuUs);
      packets += blockPackets;
      if (budget.skipsBlock(blockPackets)) continue;
      for (let index = 0; index < blockPackets; index++) {
        const connection = (packets + index) % connections;
        const takes = budget.takes((connection / connections) * 2 ** 32, packetBytes);
        cpuUs += takes ? load.sendUs : load.lookUs;
        if (takes) kept.set(connection, (kept.get(connection) ?? 0) + 1);
        sent += takes ? 1 : 0;
      }
    }
  }
  const halfUs = (seconds * 1e6) / 2;
  return {
    cpuShare: (cpuUs - half.cpuUs) / halfUs,
    sentPerSecond: (sent - half.sent) / (halfUs / 1e6),
    packets,
    sent,
    skipped: budget.skipped,
    share: budget.share,
    kept,
  };
}

const unlimited = { cpuShare: 1, packetsPerSecond: null, bytesPerSecond: null };

describe('the budget of a tap', () => {
  test('with room for everything, everything is sent', () => {
    const { packets, sent, skipped, share } = simulate(unlimited, { packetsPerSecond: 50_000, sendUs: 3, lookUs: 0.3 }, 4);
    expect({ sent, skipped, share }).toEqual({ sent: packets, skipped: { cpu: 0, rate: 0 }, share: 1 });
  });

  test.each([0.02, 0.05, 0.2])('a processor share of %d is kept within a fifth, and every packet is accounted for', (cpuShare) => {
    const run = simulate({ ...unlimited, cpuShare }, { packetsPerSecond: 100_000, sendUs: 4, lookUs: 0.1 }, 30);
    expect(run.cpuShare).toBeLessThan(cpuShare * 1.2);
    expect(run.cpuShare).toBeGreaterThan(cpuShare * 0.7);
    expect(run.sent + run.skipped.cpu).toBe(run.packets);
    expect(run.skipped.rate).toBe(0);
  });

  test('even where looking at the packets alone costs more than there is', () => {
    const run = simulate({ ...unlimited, cpuShare: 0.05 }, { packetsPerSecond: 400_000, sendUs: 4, lookUs: 0.5 }, 20);
    expect(run.cpuShare).toBeLessThan(0.06);
    expect(run.sent + run.skipped.cpu).toBe(run.packets);
  });

  test.each([
    { limit: { packetsPerSecond: 10_000 }, expected: 10_000 },
    { limit: { bytesPerSecond: 2_500_000 }, expected: 5_000 },
  ])('a rate is never exceeded and mostly used: $limit', ({ limit, expected }) => {
    const run = simulate({ ...unlimited, ...limit }, { packetsPerSecond: 50_000, sendUs: 3, lookUs: 0.1 }, 30);
    expect(run.sentPerSecond).toBeLessThan(expected * 1.01);
    expect(run.sentPerSecond).toBeGreaterThan(expected * 0.75);
    expect(run.sent + run.skipped.rate).toBe(run.packets);
  });

  test('what is left out is whole connections, as far as possible', () => {
    const { kept, packets } = simulate({ ...unlimited, cpuShare: 0.1 }, { packetsPerSecond: 100_000, sendUs: 4, lookUs: 0.1 }, 60);
    const each = packets / connections;
    const whole = Array.from({ length: connections }, (_, connection) => (kept.get(connection) ?? 0) / each);
    // Neither nearly always nor nearly never sent: those that the share moved over.
    expect(whole.filter((part) => part > 0.2 && part < 0.8).length).toBeLessThan(connections * 0.1);
    expect(whole.filter((part) => part >= 0.8).length).toBeGreaterThan(connections * 0.1);
  });
});

describe('the number of a connection', () => {
  test.each([
    ['10.0.0.1', '10.0.0.2'],
    ['fd00::1', 'fd00::2'],
  ])('is the same for both directions, and spread evenly: %s', (client, server) => {
    const numbers = Array.from({ length: 2_000 }, (_, index) => {
      const there = { source: client, destination: server, sourcePort: 30_000 + index, destinationPort: 80 };
      const back = { source: server, destination: client, sourcePort: 80, destinationPort: 30_000 + index };
      const [number, reply] = [there, back].map((ends) => {
        const packet = Buffer.concat([Buffer.alloc(14), ipPacket(6, tcpSegment(ends), ends)]);
        return connectionNumber(packet, 14, packet.length);
      });
      expect(reply).toBe(number);
      return number ?? 0;
    });
    for (const share of [0.05, 0.3, 0.7]) {
      const below = numbers.filter((number) => number < share * 2 ** 32).length;
      expect(Math.abs(below / 2_000 - share)).toBeLessThan(0.05);
    }
  });
});
