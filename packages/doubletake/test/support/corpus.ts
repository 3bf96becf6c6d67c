/**
 * The corpus of public captures with their ground truth (its README.md describes the files). It lies outside the
 * repository, because the captures are other people's data; `DOUBLETAKE_CORPUS` says where.
 *
 *     const captures = readCorpus();                                      null when the folder is absent
 *     captures[0].truth                                                   messages that tshark found, in order
 *     captures[0].objects                                                 bodies that tshark found, unpacked
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CaptureFile } from '../../src/sources/capture-file.ts';
import type { CapturePacket } from './capture-files.ts';
import { geneve, ipPacket, LinkType, linkFrame, udpDatagram, wrapInVxlanFrame } from './frames.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
export const corpusFolder = resolve(root, process.env['DOUBLETAKE_CORPUS'] ?? '../shared/corpus');

/** One message that tshark read, and the two endpoints between which it went. */
export interface TrueMessage {
  endpoints: [string, string];
  /** Empty in a response. */
  method: string;
  target: string;
  /** 0 in a request. */
  status: number;
}

export interface CorpusCapture {
  /** Path below the corpus folder, which is also its name. */
  name: string;
  path: string;
  packets: number;
  requests: number;
  /** Final responses, 101 among them. */
  responses: number;
  interim: number;
  /** How sure the numbers are: firm, judged, policy or unclear. */
  confidence: string;
  truth: TrueMessage[];
  objects: { bytes: number; sha256: string; name: string }[];
}

/** Every capture of the corpus, or null when there is no corpus here. */
export function readCorpus(): CorpusCapture[] | null {
  if (!existsSync(join(corpusFolder, 'MANIFEST.tsv'))) return null;
  return readTable(join(corpusFolder, 'MANIFEST.tsv')).map((row) => {
    const path = join(corpusFolder, row['file'] ?? '');
    return {
      name: row['file'] ?? '',
      path,
      packets: Number(row['packets']),
      requests: Number(row['expect_requests']),
      responses: Number(row['expect_final_responses']),
      interim: Number(row['interim_1xx']),
      confidence: row['confidence'] ?? '',
      truth: readTable(`${path}.truth.tsv`).flatMap(trueMessages),
      objects: readTable(`${path}.objects.tsv`).map((object) => ({
        bytes: Number(object['bytes']),
        sha256: object['sha256'] ?? '',
        name: object['tshark_name'] ?? '',
      })),
    };
  });
}

/** A row stands for a packet; the values of several messages in one packet have ` | ` between them. */
function trueMessages(row: Record<string, string>): TrueMessage[] {
  const endpoints: [string, string] = [endpoint(row['src'], row['sport']), endpoint(row['dst'], row['dport'])];
  const methods = values(row['request_method']);
  const targets = values(row['request_uri']);
  return [
    ...methods.map((method, index) => ({ endpoints, method, target: targets[index] ?? '', status: 0 })),
    ...values(row['response_code']).map((status) => ({ endpoints, method: '', target: '', status: Number(status) })),
  ];
}

function values(cell = ''): string[] {
  return cell === '' ? [] : cell.split(' | ');
}

function endpoint(address = '', port = ''): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Rows of a file with tabs between its columns and their names in the first line; none when there is no such file. */
function readTable(path: string): Record<string, string>[] {
  if (!existsSync(path)) return [];
  const [names = [], ...rows] = readFileSync(path, 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? ''])));
}

/** Every packet of a capture as a mirror session would have sent it: an Ethernet frame in VXLAN over UDP. */
export async function wrapCapture(path: string, vni: number): Promise<CapturePacket[]> {
  const packets = await ethernetFrames(path);
  return packets.map(({ frame, timeUs }) => ({ frame: wrapInVxlanFrame(frame, vni), timeUs }));
}

/** The same in GENEVE with options, as a gateway load balancer sends them. */
export async function wrapCaptureInGeneve(path: string, vni: number): Promise<CapturePacket[]> {
  const packets = await ethernetFrames(path);
  const options = Buffer.alloc(24, 0x5a);
  const ends = { source: '192.0.2.10', destination: '192.0.2.20' };
  return packets.map(({ frame, timeUs }) => {
    const datagram = udpDatagram(50_000, 6_081, geneve(vni, frame, { options }));
    return { frame: linkFrame(ipPacket(17, datagram, ends)), timeUs };
  });
}

/** Every packet of a capture as an Ethernet frame. */
export async function ethernetFrames(path: string): Promise<CapturePacket[]> {
  const packets: CapturePacket[] = [];
  for await (const batch of await CaptureFile.open(path)) {
    while (batch.next()) {
      const frame = toEthernet(Buffer.from(batch.bytes.subarray(batch.start, batch.end)), batch.linkType);
      packets.push({ frame, timeUs: batch.timeUs });
    }
  }
  return packets;
}

/** Raw IP as some systems wrote it into files. */
const RAW_OF_BSD = 12;

/** A packet of any link type of the corpus as an Ethernet frame. */
function toEthernet(packet: Buffer, linkType: number): Buffer {
  switch (linkType) {
    case LinkType.ethernet:
      return packet;
    case RAW_OF_BSD:
    case LinkType.raw:
    case LinkType.rawIpv4:
    case LinkType.rawIpv6:
      return linkFrame(packet);
    case LinkType.loopback:
    case LinkType.openBsdLoopback:
      return linkFrame(packet.subarray(4));
    case LinkType.ciscoHdlc:
      return withEtherType(packet.readUInt16BE(2), packet.subarray(4));
    case LinkType.linuxCooked:
      return withEtherType(packet.readUInt16BE(14), packet.subarray(16));
    case LinkType.linuxCooked2:
      return withEtherType(packet.readUInt16BE(0), packet.subarray(20));
    default:
      throw new Error(`no way from link type ${linkType} to Ethernet`);
  }
}

function withEtherType(type: number, rest: Buffer): Buffer {
  const header = Buffer.alloc(14, 2);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, rest]);
}
