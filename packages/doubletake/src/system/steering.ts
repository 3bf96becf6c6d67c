/**
 * The program that gives each tunnelled packet to a worker, in the kernel, before any of our code runs.
 *
 * It hashes the addresses and ports of the inner packet symmetrically, so both directions of a connection come to the
 * same worker; the result is always below the number of workers, because the kernel would otherwise fall back to a hash
 * of the outer addresses. The hash multiplies before it takes the remainder: a plain XOR sends most real traffic to one
 * worker, since neighbouring ports and addresses differ in few bits.
 *
 * Inner IP fragments are placed by their addresses alone, since only the first one carries ports: the fragments of a
 * packet meet and can be put together, but a connection of which some packets are fragmented is split between two
 * workers. Where that happens (TCP avoids fragments), use `hash: 'addresses'`, which never splits and spreads less well.
 * The same holds for TCP behind IPv6 extension headers. What cannot be read goes to worker 0, which counts it.
 */
import { emitEthernet, etherTypeIpv4, etherTypeIpv6 } from './bpf-ethernet.ts';
import { Bpf, BpfAssembler, type BpfInstruction } from './bpf.ts';

export interface SteeringOptions {
  tunnel: 'vxlan' | 'geneve';
  workers: number;
  /** What decides: addresses and ports (the default), or addresses alone. */
  hash?: 'flow' | 'addresses';
  /** Where the program runs: over the sockets of a UDP port (the default), or over packet rings. */
  over?: 'sockets' | 'rings';
}

/** Scratch words: where the inner packet begins (0, as `emitEthernet` uses it, too), and what is hashed. */
const Scratch = { base: 0, addresses: 1, ports: 2 } as const;

const etherTypeTransparentEthernet = 0x6558;
const protocolTcp = 6;
const protocolUdp = 17;
const vxlanPort = 4789;
const tunnelHeaderBytes = 8;
const udpHeaderBytes = 8;

/** Odd constants of well-spread bits (MurmurHash3, 32-bit golden ratio); the finish is MurmurHash3's, shortened. */
const addressFactor = 0x9e3779b1;
const portFactor = 0x85ebca6b;
const finishFactor = 0xc2b2ae35;

/**
 * A classic BPF program for SO_ATTACH_REUSEPORT_CBPF, which sees the UDP payload at offset 0, or for
 * PACKET_FANOUT_CBPF, which sees the outer IP header there in what comes in (and in what goes out the Ethernet header:
 * the filter of such rings leaves that out). It reads from the tunnel header on (VXLAN: RFC 7348 section 5, GENEVE:
 * RFC 8926 section 3.4) and returns the index of the socket.
 */
export function buildSteeringProgram(options: SteeringOptions): BpfInstruction[] {
  const { workers, tunnel, hash = 'flow', over = 'sockets' } = options;
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError(`workers: ${workers} is not a positive integer`);
  const code = new BpfAssembler();
  code.emit(Bpf.loadImmediate, 0).emit(Bpf.store, Scratch.addresses).emit(Bpf.store, Scratch.ports);
  if (over === 'sockets') code.emit(Bpf.loadXImmediate, 0);
  else emitOuterHeaders(code);
  const inner: InnerPacket = { name: 'inner', usesPorts: hash === 'flow', nested: null };
  if (tunnel === 'vxlan') {
    code.emit(Bpf.xToA).emit(Bpf.add, tunnelHeaderBytes).emit(Bpf.aToX);
    emitEthernet(code, inner.name);
    emitInternet(code, inner);
  } else {
    // A gateway load balancer wraps what VPC Traffic Mirroring sends it, so the connection may be one VXLAN deeper.
    const innermost: InnerPacket = { name: 'innermost', usesPorts: hash === 'flow', nested: null };
    inner.nested = innermost;
    emitGeneveHeader(code, inner);
    emitEthernet(code, inner.name);
    emitInternet(code, inner);
    code.label(`${innermost.name}.vxlan`).emit(Bpf.loadImmediate, 0).emit(Bpf.store, Scratch.addresses);
    emitEthernet(code, innermost.name);
    emitInternet(code, innermost);
  }
  emitFinish(code, workers);
  return code.assemble();
}

/** Labels of one level of encapsulation start with its name; a VXLAN packet inside continues with `nested`. */
interface InnerPacket {
  name: string;
  usesPorts: boolean;
  nested: InnerPacket | null;
}

/** Leaves the offset of the tunnel header in X, behind the outer IP header at offset 0 and UDP. */
function emitOuterHeaders(code: BpfAssembler): void {
  code.emit(Bpf.loadXImmediate, 40 + udpHeaderBytes);
  code.emit(Bpf.loadByteAt, 0).emit(Bpf.and, 0xf0).branch(Bpf.jumpEqual, 0x60, 'tunnel');
  code.emit(Bpf.loadByteAt, 0).emit(Bpf.and, 0x0f).emit(Bpf.shiftLeft, 2).emit(Bpf.add, udpHeaderBytes).emit(Bpf.aToX);
  code.label('tunnel');
}

/** X: offset of the GENEVE header on entry, behind its options on leaving, which is by the protocol type. */
function emitGeneveHeader(code: BpfAssembler, inner: InnerPacket): void {
  code.emit(Bpf.loadHalfAtX, 2).emit(Bpf.store, Scratch.base);
  code.emit(Bpf.loadByteAtX, 0).emit(Bpf.and, 0x3f).emit(Bpf.shiftLeft, 2).emit(Bpf.addX);
  code.emit(Bpf.add, tunnelHeaderBytes).emit(Bpf.aToX);
  code
    .emit(Bpf.loadScratch, Scratch.base)
    .branch(Bpf.jumpEqual, etherTypeIpv4, `${inner.name}.ipv4`)
    .branch(Bpf.jumpEqual, etherTypeIpv6, `${inner.name}.ipv6`)
    .branch(Bpf.jumpEqual, etherTypeTransparentEthernet, null, 'unreadable');
}

/** X: offset of an IP header on entry to either label. Leaves to `finish` with the two scratch words set. */
function emitInternet(code: BpfAssembler, inner: InnerPacket): void {
  const { name } = inner;
  code.label(`${name}.ipv4`).emit(Bpf.storeX, Scratch.base);
  emitMixAddressWord(code, 12, 16);
  // More fragments, or an offset: not the whole packet.
  code.emit(Bpf.loadHalfAtX, 6).branch(Bpf.jumpAnySet, 0x3fff, 'finish');
  // Offset of the transport header, before the protocol is looked at, since that needs A.
  code.emit(Bpf.loadByteAtX, 0).emit(Bpf.and, 0x0f).emit(Bpf.shiftLeft, 2).emit(Bpf.addX).emit(Bpf.store, Scratch.base);
  code.emit(Bpf.loadByteAtX, 9).emit(Bpf.loadXScratch, Scratch.base).jump(`${name}.transport`);

  code.label(`${name}.ipv6`).emit(Bpf.storeX, Scratch.base);
  for (let word = 0; word < 16; word += 4) emitMixAddressWord(code, 8 + word, 24 + word);
  code.emit(Bpf.xToA).emit(Bpf.add, 40).emit(Bpf.store, Scratch.base);
  code.emit(Bpf.loadByteAtX, 6).emit(Bpf.loadXScratch, Scratch.base);

  // A: protocol, X and `base`: offset of the transport header.
  code.label(`${name}.transport`);
  const ports = inner.usesPorts ? `${name}.ports` : 'finish';
  code.branch(Bpf.jumpEqual, protocolTcp, ports);
  code.branch(Bpf.jumpEqual, protocolUdp, null, 'finish');
  if (inner.nested !== null) {
    code.emit(Bpf.loadHalfAtX, 2).branch(Bpf.jumpEqual, vxlanPort, null, ports);
    code.emit(Bpf.xToA).emit(Bpf.add, udpHeaderBytes + tunnelHeaderBytes).emit(Bpf.aToX);
    code.jump(`${inner.nested.name}.vxlan`);
  }
  if (!inner.usesPorts) {
    if (inner.nested === null) code.jump('finish');
    return;
  }
  code.label(ports);
  code.emit(Bpf.loadHalfAtX, 0).emit(Bpf.store, Scratch.ports);
  code.emit(Bpf.loadHalfAtX, 2).emit(Bpf.loadXScratch, Scratch.ports).emit(Bpf.xorX).emit(Bpf.store, Scratch.ports);
  code.jump('finish');
}

/** addresses = (addresses + (word at `source` xor word at `destination`)) * factor. Keeps X, which is also in `base`. */
function emitMixAddressWord(code: BpfAssembler, source: number, destination: number): void {
  // There is one index register and no second accumulator, so the words meet through the scratch word for ports.
  code.emit(Bpf.loadWordAtX, source).emit(Bpf.store, Scratch.ports).emit(Bpf.loadWordAtX, destination);
  code.emit(Bpf.loadXScratch, Scratch.ports).emit(Bpf.xorX);
  code.emit(Bpf.loadXScratch, Scratch.addresses).emit(Bpf.addX).emit(Bpf.multiply, addressFactor);
  code.emit(Bpf.store, Scratch.addresses).emit(Bpf.loadImmediate, 0).emit(Bpf.store, Scratch.ports);
  code.emit(Bpf.loadXScratch, Scratch.base);
}

function emitFinish(code: BpfAssembler, workers: number): void {
  code.label('finish');
  code.emit(Bpf.loadScratch, Scratch.ports).emit(Bpf.multiply, portFactor);
  code.emit(Bpf.loadXScratch, Scratch.addresses).emit(Bpf.addX);
  code.emit(Bpf.aToX).emit(Bpf.shiftRight, 16).emit(Bpf.xorX).emit(Bpf.multiply, finishFactor);
  code.emit(Bpf.aToX).emit(Bpf.shiftRight, 16).emit(Bpf.xorX);
  code.emit(Bpf.modulo, workers).emit(Bpf.returnA);
  code.label('unreadable').emit(Bpf.returnValue, 0);
}
