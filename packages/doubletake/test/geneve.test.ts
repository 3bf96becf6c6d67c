import { afterEach, describe, expect, test } from 'vitest';
import { conversation } from './support/conversation.ts';
import { ethernetFrames, readCorpus } from './support/corpus.ts';
import { geneve, ipPacket, udpDatagram, vxlan } from './support/frames.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';
import { captureProblem } from './support/ring-lab.ts';

const problem = captureProblem();
const ways = problem === null ? ['socket', 'ring'] : ['socket'];

afterEach(stopAll);

const etherTypeIpv4 = 0x0800;
const ethernetBytes = 14;
const options = Buffer.alloc(40, 0x77);

/** What stands around each frame of a conversation. */
const wrappings: Record<string, (frame: Buffer) => Buffer> = {
  Ethernet: (frame) => geneve(7, frame),
  'Ethernet behind options': (frame) => geneve(7, frame, { options }),
  'bare IP': (frame) => geneve(7, frame.subarray(ethernetBytes), { options, protocol: etherTypeIpv4 }),
  // As a gateway load balancer endpoint forwards a mirror session; what counts is the session's own identifier.
  'VXLAN in it': (frame) => {
    const inside = ipPacket(17, udpDatagram(50_000, 4_789, vxlan(7, frame)), { source: '10.9.0.1', destination: '10.9.0.2' });
    return geneve(0, inside, { options, protocol: etherTypeIpv4 });
  },
};

test.each(ways)('doubletake mirror --geneve, from a %s: what is in Ethernet, IP and VXLAN arrives at the target', async (receive) => {
  const target = await recordingTarget();
  const flags = ['--geneve', '127.0.0.1:0', '--receive', receive, '--workers', '2', '--vni', '7'];
  const mirror = await startMirror([...flags, '--target', target.url]);
  const each = 20;
  const expected = Object.keys(wrappings).flatMap((_, kind) => Array.from({ length: each }, (__, index) => `/${kind}/${index}`));
  const datagrams = Object.values(wrappings).flatMap((wrap, kind) =>
    Array.from({ length: each }, (_, index) =>
      conversation({ client: `10.0.${kind}.5:${4_000 + index}` }, [
        { client: `GET /${kind}/${index} HTTP/1.1\r\nHost: a\r\n\r\n` },
        { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
      ]).map(({ frame }) => wrap(frame)),
    ).flat(),
  );
  await mirror.sendRaw(datagrams);
  const requests = await target.received(expected.length);
  const { ledger, code } = await mirror.stop();
  expect(code).toBe(0);
  expect(requests.map(({ head }) => head.split(' ')[1]).toSorted()).toEqual(expected.toSorted());
  expect(ledger).toMatchObject({
    captured: expected.length,
    outcomes: { replayed: expected.length },
    production: { responses: { '2xx': expected.length }, orphans: 0 },
    packets: { received: datagrams.length, kernelDrops: 0 },
  });
});

const categories = new Set(['geneve-gre-erspan', 'ipv6', 'link-format', 'vlan']);
const captures = readCorpus()?.filter(({ name }) => categories.has(name.split('/')[0] ?? '')) ?? [];

describe.skipIf(captures.length === 0)('captures sent to a GENEVE port', () => {
  test('hold the requests that are known to be in them', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--geneve', '127.0.0.1:0', '--percentage', '0', '--target', target.url]);
    const differences: object[] = [];
    let [captured, received] = [0, 0];
    for (const { name, path, requests } of captures) {
      // oxlint-disable no-await-in-loop -- one capture after the other, each with a network of its own
      const frames = await ethernetFrames(path);
      // The longest datagram is shorter than the longest frames of captures of offloading interfaces.
      const fitting = frames.filter(({ frame }) => frame.length < 65_000);
      const network = captures.findIndex((capture) => capture.name === name) + 1;
      await mirror.sendRaw(fitting.map(({ frame }) => geneve(network, frame, { options })));
      received += fitting.length;
      const ledger = await mirror.ledgerWhen(`the packets of ${name}`, ({ packets }) => packets.received >= received);
      // oxlint-enable no-await-in-loop
      if (ledger.captured - captured !== requests) differences.push({ name, requests, captured: ledger.captured - captured });
      captured = ledger.captured;
    }
    expect(differences).toEqual([]);
    expect((await mirror.stop()).code).toBe(0);
  });
});
