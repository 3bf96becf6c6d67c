/**
 * Programs that choose in the kernel which packets come into a packet ring, so that all others cost next to nothing.
 *
 * They run on frames from the link header on, whatever the link: Ethernet with VLAN tags (also those that the kernel
 * took off, which are then not in the frame), and interfaces whose packets begin with the IP header. Everything is
 * loaded by offsets from the front: offsets relative to the network header reach only as far as the kernel has a packet
 * in one piece. The value returned is how many bytes of the frame are wanted.
 */
import { isIPv4 } from 'node:net';
import { Bpf, BpfAssembler, type BpfInstruction } from './bpf.ts';
import { emitEthernet } from './bpf-ethernet.ts';
import { AF_INET, encodeSocketAddress } from './socket-address.ts';

export interface Endpoint {
  /** Numeric address. */
  address: string;
  port: number;
}

export interface CaptureFilterOptions {
  /** Server ports: TCP from or to one of them; empty takes all TCP. */
  ports: readonly number[];
  /** What comes from or goes to one of these is left out. */
  exclude?: readonly Endpoint[];
  /** Take whatever may carry tunnels, too: GRE, IP in IP, and UDP on the ports of VXLAN, GENEVE, GRE and AYIYA. */
  tunnels?: boolean;
  /** Bytes wanted of each frame. Default: all of it. */
  frameBytesMax?: number;
}

/** Longer than any frame (BIG TCP ends at 512 KiB), so that nothing is cut. */
export const frameBytesAll = 1 << 20;

/** A program has at most 4,096 instructions (BPF_MAXINSNS); a list longer than these is left to the decoder. */
const portsMax = 250;
export const excludedMax = 64;

/** Places of what the kernel knows beside a packet: SKF_AD_OFF + SKF_AD_PKTTYPE, SKF_AD_HATYPE (linux/filter.h). */
const packetTypeAt = 0xffff_f004;
const hardwareTypeAt = 0xffff_f01c;
/** linux/if_packet.h. */
const PACKET_HOST = 0;
const PACKET_OUTGOING = 4;
/** linux/if_arp.h. */
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;

const protocolTcp = 6;
const protocolUdp = 17;
/** IP in IP, IPv6 in IP, GRE. */
const tunnelProtocols = [4, 41, 47];
/** VXLAN, VXLAN as older Linux has it, GENEVE, GRE in UDP, AYIYA. */
const tunnelPorts = [4789, 8472, 6081, 4754, 5072];
/** Hop-by-hop, routing and destination options: what stands behind them is left to the decoder. */
const extensionHeaders = [0, 43, 60];
const fragmentHeader = 44;
const ipv6HeaderBytes = 40;

/**
 * Scratch words; 0 is that of `emitEthernet`. The kernel's check that each is written before it is read does not know
 * that a program ends at a return: what follows one is reached by a jump, with a jump in front.
 */
const Scratch = { base: 1, sourcePort: 2, destinationPort: 3 } as const;

/** TCP of both directions. What passes the loopback interface, where the kernel shows it twice, is taken once. */
export function buildCaptureFilter(options: CaptureFilterOptions): BpfInstruction[] {
  const { ports, exclude = [], tunnels = false, frameBytesMax = frameBytesAll } = options;
  const code = new BpfAssembler();
  code.emit(Bpf.loadWordAt, hardwareTypeAt).branch(Bpf.jumpEqual, ARPHRD_LOOPBACK, null, 'link');
  code.emit(Bpf.loadWordAt, packetTypeAt).branch(Bpf.jumpEqual, PACKET_OUTGOING, null, 'link');
  code.emit(Bpf.returnValue, 0).label('link');
  emitLink(code);
  const wanted: Wanted = { protocol: protocolTcp, fragments: true, tunnels, exclude };
  emitIpv4(code, wanted);
  emitIpv6(code, wanted);
  code.label('ports');
  if (ports.length > 0 && ports.length <= portsMax) {
    for (const place of [Scratch.sourcePort, Scratch.destinationPort]) {
      code.emit(Bpf.loadScratch, place);
      for (const port of ports) code.branchFar(Bpf.jumpEqual, port, 'take');
    }
    code.emit(Bpf.returnValue, 0);
  }
  code.label('take').emit(Bpf.returnValue, frameBytesMax);
  return code.assemble();
}

/**
 * Whole UDP datagrams that come in for this machine's `endpoint`; an address of zeros stands for all of its family's.
 * Behind IPv6 extension headers there is none: the transport header always follows the IP header.
 */
export function buildDatagramFilter({ address, port }: Endpoint): BpfInstruction[] {
  const code = new BpfAssembler();
  code.emit(Bpf.loadWordAt, packetTypeAt).branch(Bpf.jumpEqual, PACKET_HOST, 'link');
  code.emit(Bpf.returnValue, 0).label('link');
  emitLink(code);
  const words = addressWords(address);
  const anyAddress = words.every((word) => word === 0);
  const wanted: Wanted = { protocol: protocolUdp, fragments: false, tunnels: false, exclude: [] };
  const neither: Wanted = { ...wanted, protocol: null };
  // A socket on `::` takes IPv4 as well.
  emitIpv4(code, isIPv4(address) || anyAddress ? wanted : neither);
  emitIpv6(code, isIPv4(address) ? neither : wanted);
  code.label('ports');
  code.emit(Bpf.loadScratch, Scratch.destinationPort).branch(Bpf.jumpEqual, port, null, 'refuse');
  if (!anyAddress) {
    const place = isIPv4(address) ? 16 : 24;
    code.emit(Bpf.loadXScratch, Scratch.base);
    words.forEach((word, index) => code.emit(Bpf.loadWordAtX, place + index * 4).branch(Bpf.jumpEqual, word, null, 'refuse'));
  }
  code.label('take').emit(Bpf.returnValue, frameBytesAll);
  code.label('refuse').emit(Bpf.returnValue, 0);
  return code.assemble();
}

/** A program that takes nothing. */
export function buildEmptyFilter(): BpfInstruction[] {
  return new BpfAssembler().emit(Bpf.returnValue, 0).assemble();
}

/** Leaves to `ip.ipv4` or `ip.ipv6` with the offset of the IP header in X. */
function emitLink(code: BpfAssembler): void {
  code.emit(Bpf.loadXImmediate, 0).emit(Bpf.loadWordAt, hardwareTypeAt);
  code.branch(Bpf.jumpEqual, ARPHRD_ETHER, 'ethernet').branch(Bpf.jumpEqual, ARPHRD_LOOPBACK, 'ethernet');
  code.emit(Bpf.loadByteAt, 0).emit(Bpf.and, 0xf0);
  code.branchFar(Bpf.jumpEqual, 0x40, 'ip.ipv4').branchFar(Bpf.jumpEqual, 0x60, 'ip.ipv6').emit(Bpf.returnValue, 0);
  code.label('ethernet');
  emitEthernet(code, 'ip');
  code.label('unreadable').emit(Bpf.returnValue, 0);
}

interface Wanted {
  /** Protocol whose ports are looked at; null for no packet of this IP version. */
  protocol: number | null;
  /** Take fragments, and what stands behind extension headers, without looking at ports that are not there. */
  fragments: boolean;
  tunnels: boolean;
  exclude: readonly Endpoint[];
}

/** Leaves to `ports` with the ports in their scratch words, or to `take` with what has none to look at. */
function emitIpv4(code: BpfAssembler, wanted: Wanted): void {
  code.label('ip.ipv4').emit(Bpf.storeX, Scratch.base);
  if (wanted.protocol === null) return void code.jump('refuse');
  code.emit(Bpf.loadByteAtX, 9);
  emitProtocols(code, 'ipv4', wanted);
  code.label('ipv4.ported').emit(Bpf.loadHalfAtX, 6);
  // Behind the first fragment there are no ports: the decoder will tell. The bits are MF and the offset.
  if (wanted.fragments) code.branchFar(Bpf.jumpAnySet, 0x1fff, 'take');
  else code.branch(Bpf.jumpAnySet, 0x3fff, null, 'ipv4.whole').emit(Bpf.returnValue, 0).label('ipv4.whole');
  code.emit(Bpf.loadByteAtX, 0).emit(Bpf.and, 0x0f).emit(Bpf.shiftLeft, 2).emit(Bpf.addX).emit(Bpf.aToX);
  emitLoadPorts(code, 0);
  if (wanted.tunnels) emitUdpTunnels(code, 'ipv4', 9);
  const own = wanted.exclude.filter(({ address }) => isIPv4(address)).slice(0, excludedMax);
  own.forEach((endpoint, index) => emitExclude(code, `ipv4.${index}`, endpoint, 12, 16));
  code.jump('ports');
}

function emitIpv6(code: BpfAssembler, wanted: Wanted): void {
  code.label('ip.ipv6').emit(Bpf.storeX, Scratch.base);
  if (wanted.protocol === null) return void code.jump('refuse');
  code.emit(Bpf.loadByteAtX, 6);
  if (wanted.fragments) {
    for (const header of extensionHeaders) code.branchFar(Bpf.jumpEqual, header, 'take');
    code.branch(Bpf.jumpEqual, fragmentHeader, null, 'ipv6.unfragmented');
    code.emit(Bpf.loadByteAtX, ipv6HeaderBytes).branchFar(Bpf.jumpEqual, wanted.protocol, 'take');
    code.label('ipv6.unfragmented');
  }
  emitProtocols(code, 'ipv6', wanted);
  code.label('ipv6.ported');
  emitLoadPorts(code, ipv6HeaderBytes);
  if (wanted.tunnels) emitUdpTunnels(code, 'ipv6', 6);
  const own = wanted.exclude.filter(({ address }) => !isIPv4(address)).slice(0, excludedMax);
  own.forEach((endpoint, index) => emitExclude(code, `ipv6.${index}`, endpoint, 8, 24));
  code.jump('ports');
}

/** A: the protocol. Leaves to `NAME.ported` or `take`. */
function emitProtocols(code: BpfAssembler, name: string, { protocol, tunnels }: Wanted): void {
  code.branchFar(Bpf.jumpEqual, protocol ?? 0, `${name}.ported`);
  if (tunnels) {
    for (const tunnel of tunnelProtocols) code.branchFar(Bpf.jumpEqual, tunnel, 'take');
    code.branchFar(Bpf.jumpEqual, protocolUdp, `${name}.ported`);
  }
  code.emit(Bpf.returnValue, 0);
}

/** X: offset of the transport header less `offset`. Leaves the offset of the IP header in X. */
function emitLoadPorts(code: BpfAssembler, offset: number): void {
  code.emit(Bpf.loadHalfAtX, offset).emit(Bpf.store, Scratch.sourcePort);
  code.emit(Bpf.loadHalfAtX, offset + 2).emit(Bpf.store, Scratch.destinationPort);
  code.emit(Bpf.loadXScratch, Scratch.base);
}

/** Takes UDP to the port of a tunnel and no other; goes on with the rest. `protocolAt`: its place in the IP header. */
function emitUdpTunnels(code: BpfAssembler, name: string, protocolAt: number): void {
  code.emit(Bpf.loadByteAtX, protocolAt).branch(Bpf.jumpEqual, protocolUdp, null, `${name}.tcp`);
  code.emit(Bpf.loadScratch, Scratch.destinationPort);
  for (const port of tunnelPorts) code.branchFar(Bpf.jumpEqual, port, 'take');
  code.emit(Bpf.returnValue, 0).label(`${name}.tcp`);
}

/** X: offset of the IP header, where the addresses stand at `sourceAt` and `destinationAt`. */
function emitExclude(
  code: BpfAssembler,
  name: string,
  { address, port }: Endpoint,
  sourceAt: number,
  destinationAt: number,
): void {
  for (const [place, scratch] of [
    [sourceAt, Scratch.sourcePort],
    [destinationAt, Scratch.destinationPort],
  ] as const) {
    const other = `${name}.not.${scratch}`;
    code.emit(Bpf.loadScratch, scratch).branch(Bpf.jumpEqual, port, null, other);
    addressWords(address).forEach((word, index) => {
      code.emit(Bpf.loadWordAtX, place + index * 4).branch(Bpf.jumpEqual, word, null, other);
    });
    code.emit(Bpf.returnValue, 0).label(other);
  }
}

/** The address as one word or four. */
function addressWords(address: string): number[] {
  const bytes = encodeSocketAddress(address, 0);
  const [at, count] = bytes.readUInt16LE(0) === AF_INET ? [4, 1] : [8, 4];
  return Array.from({ length: count }, (_, index) => bytes.readUInt32BE(at + index * 4));
}
