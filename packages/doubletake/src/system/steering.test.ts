import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bindUdpGroup } from '../sources/udp-group.ts';
import { openUdpSource } from '../sources/udp-source.ts';
import { interpret } from '../../test/support/bpf.ts';
import { loadLibc } from './libc.ts';
import { buildSteeringProgram } from './steering.ts';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

interface Flow {
  source: Buffer;
  destination: Buffer;
  sourcePort: number;
  destinationPort: number;
}

const reversed = (flow: Flow): Flow => ({
  source: flow.destination,
  destination: flow.source,
  sourcePort: flow.destinationPort,
  destinationPort: flow.sourcePort,
});

function ip(flow: Flow, options: { protocol?: number; ihl?: number; fragment?: number; payload?: Buffer } = {}): Buffer {
  const { protocol = 6, ihl = 5, fragment = 0, payload = Buffer.alloc(20) } = options;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(flow.sourcePort, 0);
  ports.writeUInt16BE(flow.destinationPort, 2);
  const header = Buffer.alloc(flow.source.length === 4 ? ihl * 4 : 40);
  if (flow.source.length === 4) {
    header[0] = 0x40 + ihl;
    header.writeUInt16BE(fragment, 6);
    header[9] = protocol;
    header.set(flow.source, 12);
    header.set(flow.destination, 16);
  } else {
    header[0] = 0x60;
    header[6] = protocol;
    header.set(flow.source, 8);
    header.set(flow.destination, 24);
  }
  return Buffer.concat([header, ports, payload]);
}

function ethernet(packet: Buffer, tags: number[] = []): Buffer {
  const header = Buffer.alloc(12);
  const types = [...tags.flatMap((tag) => [tag, 0x0123]), (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800];
  return Buffer.concat([header, Buffer.from(types.flatMap((type) => [type >> 8, type & 255])), packet]);
}

const vxlan = (frame: Buffer): Buffer => Buffer.concat([Buffer.from([8, 0, 0, 0, 0, 0, 1, 0]), frame]);

function geneve(inner: Buffer, type: number, optionWords: number): Buffer {
  const header = Buffer.alloc(8 + optionWords * 4, 0xff);
  header.set([optionWords, 0, type >> 8, type & 255, 0, 0, 1, 0]);
  return Buffer.concat([header, inner]);
}

const port = fc.integer({ min: 0, max: 65535 });
const address = (bytes: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array));
const flowOf = (bytes: number): fc.Arbitrary<Flow> =>
  fc.record({ source: address(bytes), destination: address(bytes), sourcePort: port, destinationPort: port });
const flows = fc.oneof(flowOf(4), flowOf(16));
const tags = fc.array(fc.constantFrom(0x8100, 0x88a8, 0x9100), { maxLength: 2 });

/** Many clients, one load balancer, one server port: what a mirrored service looks like. */
function clientFlows(count: number): Flow[] {
  return Array.from({ length: count }, (_, index) => ({
    source: Buffer.from([10, 0, 2, index % 4]),
    destination: Buffer.from([10, 0, 1, 2]),
    sourcePort: 32768 + Math.floor(index / 4) * 2,
    destinationPort: 80,
  }));
}

function spread(workers: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, worker) => workers.filter((chosen) => chosen === worker).length);
}

describe('steering program', () => {
  test('sends both directions to the same worker, whatever the VLAN tags, the IP options and the payload', () => {
    const program = buildSteeringProgram({ tunnel: 'vxlan', workers: 7 });
    fc.assert(
      fc.property(flows, tags, tags, fc.integer({ min: 5, max: 15 }), (flow, there, back, ihl) => {
        const forth = interpret(program, vxlan(ethernet(ip(flow, { ihl }), there)));
        const reply = vxlan(ethernet(ip(reversed(flow), { payload: Buffer.alloc(900, 1) }), back));
        expect(interpret(program, reply)).toBe(forth);
        expect(forth).toBeLessThan(7);
      }),
    );
  });

  test('GENEVE: Ethernet, bare IP and VXLAN inside agree about a connection, with any number of options', () => {
    const program = buildSteeringProgram({ tunnel: 'geneve', workers: 5 });
    const plain = buildSteeringProgram({ tunnel: 'vxlan', workers: 5 });
    const mirror = { source: Buffer.from([1, 2, 3, 4]), destination: Buffer.from([5, 6, 7, 8]), sourcePort: 999 };
    fc.assert(
      fc.property(flows, tags, fc.integer({ min: 0, max: 63 }), (flow, vlan, options) => {
        const expected = interpret(plain, vxlan(ethernet(ip(flow))));
        const back = ip(reversed(flow));
        const wrapped = ip({ ...mirror, destinationPort: 4789 }, {
          protocol: 17,
          payload: Buffer.concat([Buffer.alloc(4), vxlan(ethernet(back, vlan))]),
        });
        const type = flow.source.length === 4 ? 0x0800 : 0x86dd;
        expect(interpret(program, geneve(ethernet(ip(flow), vlan), 0x6558, options))).toBe(expected);
        expect(interpret(program, geneve(back, type, options))).toBe(expected);
        expect(interpret(program, geneve(wrapped, 0x0800, options))).toBe(expected);
        expect(interpret(program, geneve(ethernet(wrapped), 0x6558, options))).toBe(expected);
      }),
    );
  });

  test('over rings, behind the outer headers, it chooses as over sockets', () => {
    for (const tunnel of ['vxlan', 'geneve'] as const) {
      const sockets = buildSteeringProgram({ tunnel, workers: 6 });
      const rings = buildSteeringProgram({ tunnel, workers: 6, over: 'rings' });
      fc.assert(
        fc.property(flows, tags, flows, fc.integer({ min: 5, max: 15 }), (flow, vlan, outer, ihl) => {
          const frame = ethernet(ip(flow), vlan);
          const datagram = tunnel === 'vxlan' ? vxlan(frame) : geneve(frame, 0x6558, 7);
          // Of the UDP header, `ip` writes the ports.
          const packet = ip(outer, { protocol: 17, ihl, payload: Buffer.concat([Buffer.alloc(4), datagram]) });
          expect(interpret(rings, packet)).toBe(interpret(sockets, datagram));
        }),
      );
    }
  });

  test('the fragments of a packet meet at one worker', () => {
    const program = buildSteeringProgram({ tunnel: 'vxlan', workers: 8 });
    fc.assert(
      fc.property(flowOf(4), port, port, (flow, a, b) => {
        const first = interpret(program, vxlan(ethernet(ip(flow, { fragment: 0x2000 }))));
        const last = ip({ ...flow, sourcePort: a, destinationPort: b }, { fragment: 0x00b9 });
        expect(interpret(program, vxlan(ethernet(last)))).toBe(first);
      }),
    );
  });

  test('by addresses alone, ports and fragments make no difference', () => {
    for (const tunnel of ['vxlan', 'geneve'] as const) {
      const program = buildSteeringProgram({ tunnel, workers: 8, hash: 'addresses' });
      const wrap = (frame: Buffer): Buffer => (tunnel === 'vxlan' ? vxlan(frame) : geneve(frame, 0x6558, 3));
      fc.assert(
        fc.property(flowOf(4), port, port, fc.constantFrom(6, 17), (flow, a, b, protocol) => {
          const whole = interpret(program, wrap(ethernet(ip(flow, { protocol }))));
          const other = ip({ ...reversed(flow), sourcePort: a, destinationPort: b === 4789 ? 1 : b }, { fragment: 0x2000 });
          expect(interpret(program, wrap(ethernet(other)))).toBe(whole);
        }),
      );
    }
  });

  test('any bytes give the index of a worker', () => {
    const programs = (['vxlan', 'geneve'] as const).map((tunnel) => buildSteeringProgram({ tunnel, workers: 3 }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...programs), (bytes, program) => {
        expect(interpret(program, Buffer.from(bytes))).toBeLessThan(3);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([2, 3, 4, 8])('spreads the connections of a service over %i workers', (workers) => {
    const program = buildSteeringProgram({ tunnel: 'vxlan', workers });
    const chosen = clientFlows(8000).map((flow) => interpret(program, vxlan(ethernet(ip(flow)))));
    for (const share of spread(chosen, workers)) expect(Math.abs((share * workers) / 8000 - 1)).toBeLessThan(0.2);
  });
});

describe.skipIf(!('libc' in loadLibc()))('steering in the kernel', () => {
  test.each([
    { count: 2, tunnel: 'vxlan' as const },
    { count: 4, tunnel: 'vxlan' as const },
    { count: 4, tunnel: 'geneve' as const },
  ])('2000 connections over $tunnel, both directions, $count sockets', async ({ count, tunnel }) => {
    const program = buildSteeringProgram({ tunnel, workers: count });
    const group = bindUdpGroup({ host: '127.0.0.1', port: 0, count, program });
    const wrap = (packet: Buffer): Buffer =>
      tunnel === 'vxlan' ? vxlan(ethernet(packet, [0x8100])) : geneve(packet, 0x0800, 8);
    const chosen = new Map<number, Set<number>>();
    let received = 0;
    const sources = await Promise.all(
      group.descriptors.map((descriptor, worker) =>
        openUdpSource({
          host: '',
          port: 0,
          descriptor,
          onDatagram(bytes, start, end) {
            const flow = bytes.readUInt32BE(end - 4);
            chosen.set(flow, (chosen.get(flow) ?? new Set()).add(worker));
            expect(interpret(program, bytes.subarray(start, end))).toBe(worker);
            received++;
          },
        }),
      ),
    );
    const senders = [createSocket('udp4'), createSocket('udp4')];
    for (const [index, flow] of clientFlows(2000).entries()) {
      const payload = Buffer.alloc(20);
      payload.writeUInt32BE(index, 16);
      const packets = [ip(flow, { payload }), ip(reversed(flow), { payload })];
      await Promise.all(
        packets.map((packet, direction) => new Promise((resolve) => {
          senders[direction]?.send(wrap(packet), group.port, '127.0.0.1', resolve);
        })),
      );
      // A receive buffer of the default size holds some hundred packets.
      if (index % 50 === 49) await until(() => received === 2 * (index + 1));
    }
    for (const sender of senders) {
      sender.close();
      await once(sender, 'close');
    }
    for (const source of sources) await source.close();
    expect([...chosen.values()].filter((workers) => workers.size !== 1)).toHaveLength(0);
    const shares = spread([...chosen.values()].flatMap((workers) => [...workers]), count);
    for (const share of shares) expect(Math.abs((share * count) / 2000 - 1)).toBeLessThan(0.2);
  });

  test('refuses a port that another group listens on', async () => {
    const program = buildSteeringProgram({ tunnel: 'vxlan', workers: 2 });
    const group = bindUdpGroup({ host: '127.0.0.1', port: 0, count: 2, program });
    try {
      expect(() => bindUdpGroup({ host: '127.0.0.1', port: group.port, count: 2, program })).toThrow('the port is in use');
    } finally {
      for (const descriptor of group.descriptors) {
        await (await openUdpSource({ host: '', port: 0, descriptor, onDatagram: () => undefined })).close();
      }
    }
  });
});
