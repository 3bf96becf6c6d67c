/**
 * Bytes to TCP segments: takes one packet a call, strips whatever it is wrapped in, and leaves the segment in `segment`
 * as a view over the same bytes. Nothing is allocated for a packet, fragments apart, and no input makes it throw or
 * read outside of the bytes given: what cannot be used is a `Decoded` result.
 *
 * This file only chains the readers (see `packet-view.ts`); each protocol stands in its own file.
 */
import { Decoded, decodedResults } from './decoded.ts';
import { readEthernet } from './ethernet.ts';
import { FragmentStore } from './fragments.ts';
import type { FragmentLimits } from './fragments.ts';
import { readIp, readIpv4, readIpv6, readTransport } from './ip.ts';
import { readLink, readPpp } from './link.ts';
import { Layer, PacketView, isLayer } from './packet-view.ts';
import { TunnelKind, createSegment, tunnelId } from './segment.ts';
import type { Segment } from './segment.ts';
import { readTcp } from './tcp-header.ts';
import { readGeneve, readGre, readUdp, readVxlan } from './tunnels.ts';

export interface DecoderOptions {
  /** VXLAN and GENEVE network identifiers to take; with a list, nothing outside such a tunnel is. Default: all. */
  vnis?: ReadonlySet<number> | null;
  /** Server ports: a segment from or to one of them is taken. Default: all. */
  ports?: ReadonlySet<number> | null;
  /** All tunnels show the same network: every segment has tunnel 0. */
  mergeTunnels?: boolean;
  /** One network is seen at several places, with and without its tags: every segment has VLAN 0. */
  ignoreVlans?: boolean;
  /** Open tunnels found inside frames, as capture files need it. */
  tunnels?: boolean;
  fragments?: Partial<FragmentLimits>;
}

/** No link carries longer frames; an original length beyond it in a capture file is a lie. */
const FRAME_BYTES_MAX = 1024 * 1024;

export class PacketDecoder {
  /** The segment of the last call that returned `Decoded.segment`; overwritten by the next call. */
  readonly segment: Segment = createSegment();
  /** What reassembly of IP fragments holds and gave up. */
  readonly fragmentCounters: Readonly<FragmentStore['counters']>;
  readonly #view: PacketView;
  readonly #vnis: ReadonlySet<number> | null;
  readonly #ports: Uint8Array | null;
  readonly #mergeTunnels: boolean;
  readonly #ignoreVlans: boolean;
  readonly #tunnels: boolean;

  constructor(options: DecoderOptions = {}) {
    const fragments = new FragmentStore(options.fragments ?? {});
    this.fragmentCounters = fragments.counters;
    this.#view = new PacketView(this.segment.source, this.segment.destination, fragments);
    this.#vnis = options.vnis ?? null;
    this.#ports = options.ports ? portTable(options.ports) : null;
    this.#mergeTunnels = options.mergeTunnels ?? false;
    this.#ignoreVlans = options.ignoreVlans ?? false;
    this.#tunnels = options.tunnels ?? false;
    this.#view.anyTunnel = this.#tunnels;
  }

  /**
   * Decodes the frame `bytes[start..end)` of a link type of the tcpdump.org registry. `originalLength` is its length on
   * the wire, `timeUs` its capture time in microseconds since the epoch, `vlan` the id of a tag that somebody has taken
   * out of it. Returns a `Decoded` result.
   */
  decode(
    bytes: Buffer,
    start: number,
    end: number,
    originalLength: number,
    linkType: number,
    timeUs: number,
    vlan = 0,
  ): number {
    const view = this.#view;
    const length = originalLength > FRAME_BYTES_MAX || originalLength < end - start ? end - start : originalLength;
    view.begin(bytes, start, end, start + length, timeUs);
    view.vlan = vlan;
    view.vxlanInside = false;
    return this.#finish(this.#follow(readLink(view, linkType)));
  }

  /** Decodes the payload of a UDP datagram received on a VXLAN port (RFC 7348). Returns a `Decoded` result. */
  decodeVxlan(bytes: Buffer, start: number, end: number, timeUs: number): number {
    const view = this.#view;
    view.begin(bytes, start, end, end, timeUs);
    view.vxlanInside = false;
    const next = readVxlan(view);
    // The VNI of the mirror session is this one, whatever overlay its network may carry inside.
    if (isLayer(next) && !this.#isVniAllowed()) return Decoded.vniNotAllowed;
    return this.#nameTunnel(this.#follow(next));
  }

  /**
   * Decodes the payload of a UDP datagram received on a GENEVE port (RFC 8926), also with VXLAN in UDP inside, as
   * mirror sessions through an AWS gateway load balancer endpoint arrive. Returns a `Decoded` result.
   */
  decodeGeneve(bytes: Buffer, start: number, end: number, timeUs: number): number {
    const view = this.#view;
    view.begin(bytes, start, end, end, timeUs);
    view.vxlanInside = true;
    return this.#finish(this.#follow(readGeneve(view)));
  }

  /** Runs readers from `first` on until one gives a result. */
  #follow(first: number): number {
    const view = this.#view;
    let next = first;
    for (;;) {
      switch (next) {
        case Layer.ethernet:
          next = readEthernet(view);
          break;
        case Layer.ipv4:
          next = readIpv4(view);
          break;
        case Layer.ipv6:
          next = readIpv6(view);
          break;
        case Layer.transport:
          next = readTransport(view);
          break;
        case Layer.tcp:
          return readTcp(view, this.segment, this.#ports);
        case Layer.udp:
          next = readUdp(view);
          break;
        case Layer.gre:
          next = readGre(view);
          break;
        case Layer.ip:
          next = readIp(view);
          break;
        case Layer.ppp:
          next = readPpp(view);
          break;
        default:
          return next;
      }
    }
  }

  /** Checks the VNI, where it is that of the innermost tunnel, which is known only at the end. */
  #finish(result: number): number {
    const view = this.#view;
    if (this.#vnis !== null && result !== Decoded.fragmentHeld && !this.#isVniAllowed()) {
      // Without any VNI seen, a broken packet is still broken; with a foreign one it is somebody else's.
      const seen = view.tunnelKind === TunnelKind.vxlan || view.tunnelKind === TunnelKind.geneve;
      if (seen || decodedResults[result]?.class !== 'malformed') return Decoded.vniNotAllowed;
    }
    return this.#nameTunnel(result);
  }

  #nameTunnel(result: number): number {
    if (result === Decoded.segment) {
      this.segment.tunnel = this.#mergeTunnels ? 0 : tunnelId(this.#view.tunnelKind, this.#view.network);
      if (this.#ignoreVlans) this.segment.vlan = 0;
    }
    return result;
  }

  #isVniAllowed(): boolean {
    if (this.#vnis === null) return true;
    const { tunnelKind, network } = this.#view;
    return (tunnelKind === TunnelKind.vxlan || tunnelKind === TunnelKind.geneve) && this.#vnis.has(network);
  }
}

/** A byte a port, which is cheaper to ask than a set. */
function portTable(ports: ReadonlySet<number>): Uint8Array {
  const table = new Uint8Array(65_536);
  for (const port of ports) table[port] = 1;
  return table;
}
