/**
 * IP fragments waiting for the rest of their packet.
 *
 * Pieces are copied and kept in order; a packet is whole when its last piece is there and the lengths add up, since
 * pieces never overlap: a piece that overlaps another ends its packet (RFC 5722), and what still comes of it is
 * refused until it ages out. The same piece again is no harm. The same place with other bytes is a sender that reuses
 * identifications: the old packet is given up and a new one begins.
 *
 * Packets, bytes and age are bounded; the oldest packet goes first. Age is measured in packet time.
 */
import { Decoded } from './decoded.ts';
import type { PacketView } from './packet-view.ts';

export interface FragmentLimits {
  /** Incomplete packets held at once. */
  packetsMax: number;
  /** Bytes held at once, with what a piece costs beside its bytes. */
  bytesMax: number;
  /** An incomplete packet is given up after this long; RFC 8200 section 4.5 says 60 s, systems use 30 s. */
  ageUsMax: number;
}

const DEFAULT_LIMITS: FragmentLimits = { packetsMax: 4096, bytesMax: 16 * 1024 * 1024, ageUsMax: 30_000_000 };

/** The longest IP payload. */
const PACKET_BYTES_MAX = 65_535;
/** What a piece is charged for its objects, so that many tiny ones cannot evade `bytesMax`. */
const PIECE_OVERHEAD_BYTES = 256;

interface Piece {
  start: number;
  end: number;
  bytes: Buffer;
}

interface IncompletePacket {
  firstUs: number;
  /** Sorted by start, disjoint. */
  pieces: Piece[];
  receivedBytes: number;
  chargedBytes: number;
  /** Length of the whole, or -1 until the last piece came. */
  totalBytes: number;
  /** Protocol named by the first piece. */
  protocol: number;
  refused: boolean;
}

export class FragmentStore {
  readonly #limits: FragmentLimits;
  /** In order of their first fragment, which is the order of giving up. */
  readonly #packets = new Map<string, IncompletePacket>();
  readonly counters = {
    /** Held now. */
    packets: 0,
    bytes: 0,
    reassembled: 0,
    /** Packets given up because their time was over. */
    aged: 0,
    /** Because a bound was reached. */
    evicted: 0,
    /** Because pieces overlapped. */
    overlapping: 0,
    /** Because their identification was used again. */
    replaced: 0,
    /** Fragments that were held and given up with their packets. */
    fragmentsGivenUp: 0,
  };
  /** The packet that the last call completed. */
  assembled: Buffer = Buffer.alloc(0);
  assembledProtocol = 0;

  constructor(limits: Partial<FragmentLimits>) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * Adds the fragment that the view stands at. Returns `Decoded.segment` when it completed its packet, which then lies
   * in `assembled`; else `Decoded.fragmentHeld` or why it is refused.
   */
  add(view: PacketView, identification: number, offset: number, more: boolean): number {
    this.#expire(view.timeUs);
    const length = view.length;
    const end = offset + length;
    if (length === 0 || end > PACKET_BYTES_MAX || (more && length % 8 !== 0)) return Decoded.badFragment;
    const key = packetKey(view, identification);
    let packet = this.#packets.get(key);
    if (packet?.refused) return Decoded.overlappingFragment;
    packet ??= this.#open(key, view);

    const index = packet.pieces.findIndex((piece) => piece.end > offset);
    const neighbour = index < 0 ? undefined : packet.pieces[index];
    if (neighbour !== undefined && neighbour.start === offset && neighbour.end === end) {
      if (neighbour.bytes.compare(view.bytes, view.start, view.end) === 0) return Decoded.fragmentHeld;
      this.#giveUp(key, packet);
      this.counters.replaced++;
      packet = this.#open(key, view);
    } else if ((neighbour !== undefined && neighbour.start < end) || !fitsTotal(packet, end, more)) {
      this.#refuse(packet);
      return Decoded.overlappingFragment;
    }
    this.#insert(packet, packet.pieces.length === 0 || index < 0 ? packet.pieces.length : index, view, offset, end);
    if (!more) packet.totalBytes = end;
    if (offset === 0) packet.protocol = view.protocol;
    if (packet.receivedBytes === packet.totalBytes) return this.#complete(key, packet);
    this.#bound();
    return Decoded.fragmentHeld;
  }

  #open(key: string, view: PacketView): IncompletePacket {
    const packet: IncompletePacket = {
      firstUs: view.timeUs,
      pieces: [],
      receivedBytes: 0,
      chargedBytes: 0,
      totalBytes: -1,
      protocol: view.protocol,
      refused: false,
    };
    this.#packets.set(key, packet);
    this.counters.packets++;
    return packet;
  }

  #insert(packet: IncompletePacket, index: number, view: PacketView, start: number, end: number): void {
    const bytes = Buffer.from(view.bytes.subarray(view.start, view.end));
    packet.pieces.splice(index, 0, { start, end, bytes });
    packet.receivedBytes += bytes.length;
    packet.chargedBytes += bytes.length + PIECE_OVERHEAD_BYTES;
    this.counters.bytes += bytes.length + PIECE_OVERHEAD_BYTES;
  }

  #complete(key: string, packet: IncompletePacket): number {
    this.assembled = Buffer.concat(packet.pieces.map((piece) => piece.bytes));
    this.assembledProtocol = packet.protocol;
    this.#remove(key, packet);
    this.counters.reassembled++;
    return Decoded.segment;
  }

  /** Frees the pieces but remembers the packet, so that its other fragments are refused too. */
  #refuse(packet: IncompletePacket): void {
    this.counters.fragmentsGivenUp += packet.pieces.length;
    this.counters.bytes -= packet.chargedBytes;
    this.counters.overlapping++;
    packet.pieces = [];
    packet.chargedBytes = 0;
    packet.refused = true;
  }

  #expire(nowUs: number): void {
    for (const [key, packet] of this.#packets) {
      if (nowUs - packet.firstUs <= this.#limits.ageUsMax) return;
      if (!packet.refused) this.counters.aged++;
      this.#giveUp(key, packet);
    }
  }

  #bound(): void {
    for (const [key, packet] of this.#packets) {
      if (this.#packets.size <= this.#limits.packetsMax && this.counters.bytes <= this.#limits.bytesMax) return;
      if (!packet.refused) this.counters.evicted++;
      this.#giveUp(key, packet);
    }
  }

  #giveUp(key: string, packet: IncompletePacket): void {
    this.counters.fragmentsGivenUp += packet.pieces.length;
    this.#remove(key, packet);
  }

  #remove(key: string, packet: IncompletePacket): void {
    this.#packets.delete(key);
    this.counters.packets--;
    this.counters.bytes -= packet.chargedBytes;
  }
}

/** Whether a piece that ends at `end` agrees with what is known of where the packet ends. */
function fitsTotal(packet: IncompletePacket, end: number, more: boolean): boolean {
  if (packet.totalBytes >= 0) return more ? end < packet.totalBytes : end === packet.totalBytes;
  const last = packet.pieces.at(-1);
  return more || last === undefined || last.end <= end;
}

/** RFC 791 includes the protocol; in IPv6 only the first fragment names it for sure. */
function packetKey(view: PacketView, identification: number): string {
  const protocol = view.ipVersion === 4 ? view.protocol : -1;
  const { source: s, destination: d } = view;
  const ends = `${s[0]},${s[1]},${s[2]},${s[3]}>${d[0]},${d[1]},${d[2]},${d[3]}`;
  return `${view.tunnelKind}/${view.network}/${view.vlan}/${ends}/${protocol}/${identification}`;
}
