import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { conversation } from './support/conversation.ts';
import { geneve, gre, ipPacket, linkFrame, udpDatagram, wrapInVxlanFrame } from './support/frames.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';
import { captureProblem, injectFrames } from './support/ring-lab.ts';

const problem = captureProblem();
if (problem !== null) process.stderr.write(`skipped: tunnels on an interface are not tested: ${problem}\n`);
const folder = mkdtempSync(join(tmpdir(), 'doubletake-tunnels-'));

afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ends = { source: '192.0.2.10', destination: '192.0.2.20' };
const onWire = (protocol: number, payload: Buffer): Buffer => linkFrame(ipPacket(protocol, payload, ends));
const protocolGre = 47;

/** ERSPAN type II: version 1, session 5. */
const erspanHeader = Buffer.from([0x10, 0, 0, 5, 0, 0, 0, 0]);

const tunnels: Record<string, (frame: Buffer) => Buffer> = {
  gre: (frame) => onWire(protocolGre, gre(0x6558, frame, { key: 7 })),
  ip: (frame) => onWire(protocolGre, gre(0x0800, frame.subarray(14))),
  erspan: (frame) => onWire(protocolGre, gre(0x88be, Buffer.concat([erspanHeader, frame]), { sequence: 1 })),
  vxlan: (frame) => wrapInVxlanFrame(frame, 7),
  geneve: (frame) => onWire(17, udpDatagram(50_000, 6_081, geneve(7, frame, { options: Buffer.alloc(8) }))),
};

test.skipIf(problem !== null)('what comes to an interface in tunnels is mirrored when they are to be opened', async () => {
  const target = await recordingTarget();
  const file = join(folder, 'mirror.yaml');
  const source = `interface: { name: lo, tunnels: true, ports: [47200] }`;
  writeFileSync(file, `sources: [{ ${source} }]\ntargets: [{ name: test, url: "${target.url}" }]\n`);
  const mirror = await startMirror([file]);
  for (const [name, wrap] of Object.entries(tunnels)) {
    const packets = conversation({ server: '10.0.1.2:47200' }, [
      { client: `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n` },
      { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
    ]);
    injectFrames(packets.map(({ frame }) => wrap(frame)));
  }
  const names = Object.keys(tunnels);
  const requests = await target.received(names.length);
  const { ledger, code } = await mirror.stop();
  expect(code).toBe(0);
  expect(requests.map(({ head }) => head.split(' ')[1]).toSorted()).toEqual(names.map((name) => `/${name}`).toSorted());
  expect(ledger).toMatchObject({ captured: names.length, production: { responses: { '2xx': names.length }, orphans: 0 } });
});
