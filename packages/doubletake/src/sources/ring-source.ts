/**
 * Packets from an interface's ring: the source behind host capture, tunnels read from a ring, and the tap.
 *
 * The event loop says when the kernel has handed a block over, which it does when one is full or a few milliseconds old:
 * so the thread is woken for many packets at once, and sleeps when there are none. A turn ends at a bound, after which
 * the thread's sockets and timers have theirs; a block that it did not finish stays held.
 *
 * An interface that goes down is waited for. One that was taken away is looked for by its name, as long as this source
 * is alone on it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { buildEmptyFilter } from '../system/capture-filter.ts';
import type { Libc, ReadablePoll } from '../system/libc.ts';
import { PacketRing } from '../system/packet-ring.ts';
import { bindToInterface, blockTimeoutMs, RingDropReader, takeSocketError } from '../system/packet-socket.ts';
import { attachFilter } from '../system/socket-options.ts';

export interface RingSourceOptions {
  /** From `openPacketSockets`; the source closes it. */
  descriptor: number;
  /** As it was opened with. */
  interfaceName: string;
  ringBytes: number;
  /** Takes the packet that the ring stands at, which holds during the call, or with `onBlockEnd` until that. */
  onPacket: (ring: PacketRing) => void;
  /** Called when a block is about to be given back to the kernel. */
  onBlockEnd?: () => void;
  /** Asked before a block is read: true leaves its packets, of which it is told how many, unread. */
  skipBlock?: (packets: number) => boolean;
  /** Milliseconds to stay away for after a turn that found something; 0, as without it, until the kernel has more. */
  restMs?: () => number;
  /** A sentence for the user: what happened to the interface. */
  onWarning: (text: string) => void;
}

/** Packets handed over before the thread's sockets and timers get their turn: a millisecond or two of work. */
const packetsPerTurnMax = 1_024;

/** How often an interface that is gone is looked for. */
const lookForInterfaceMs = 500;

/** At the end, blocks that are not full are waited for this long: the kernel's timeout, and as much for its timer. */
const lastBlockMs = 5 * blockTimeoutMs;

const ENETDOWN = 100;

export class RingSource {
  readonly #libc: Libc;
  readonly #options: RingSourceOptions;
  readonly #ring: PacketRing;
  readonly #drops: RingDropReader;
  readonly #poll: ReadablePoll;
  readonly #turnCallback = (): void => this.#turn();
  #rest: NodeJS.Timeout | undefined;
  #lookout: NodeJS.Timeout | undefined;
  /** Index of the interface that the socket is attached to; 0 for all. */
  #index: number;
  /** When the interface was found to be down; it is up while this lies in the future. */
  #downSinceUs = Infinity;
  #closing: Promise<void> | null = null;
  #closed = false;
  #lastDrops = 0;

  /** Throws `SystemError`; the descriptor is then still open. */
  constructor(libc: Libc, options: RingSourceOptions) {
    this.#libc = libc;
    this.#options = options;
    this.#ring = new PacketRing(libc, options.descriptor, options.ringBytes);
    this.#drops = new RingDropReader(libc, options.descriptor);
    this.#index = options.interfaceName === 'any' ? 0 : libc.interfaceIndex(options.interfaceName);
    // As in the UDP source: promises and exceptions are served from an immediate, not from the poll's own callback.
    this.#poll = libc.pollReadable(options.descriptor, () => {
      this.#poll.stop();
      setImmediate(this.#turnCallback);
    });
  }

  /** Packets that the kernel dropped because the ring was full. */
  get kernelDrops(): number {
    if (!this.#closed) this.#lastDrops = this.#drops.read();
    return this.#lastDrops;
  }

  /** Where the ring lies in memory. */
  get ringAddress(): bigint {
    return this.#ring.address;
  }

  #turn(): void {
    if (this.#closed) return;
    const handedOver = this.#handOver(packetsPerTurnMax);
    if (handedOver >= packetsPerTurnMax) {
      setImmediate(this.#turnCallback);
      return;
    }
    if (handedOver === 0) this.#lookAtInterface();
    // The last packets from before it went down may come after the news of it.
    else if (this.#ring.timeUs > this.#downSinceUs) this.#sayItIsUp();
    if (this.#closing !== null) return;
    const restMs = handedOver === 0 ? 0 : (this.#options.restMs?.() ?? 0);
    if (restMs === 0) this.#poll.start();
    else this.#rest = setTimeout(this.#turnCallback, restMs);
  }

  /** Hands over packets until there are none or `most` were handed over; returns how many. A skipped block counts as one. */
  #handOver(most: number): number {
    const ring = this.#ring;
    const { onPacket, onBlockEnd, skipBlock } = this.#options;
    let count = 0;
    while (count < most) {
      if (!ring.holds) {
        const packets = ring.acquire();
        if (packets < 0) break;
        if (skipBlock?.(packets) === true) {
          ring.release();
          count++;
          continue;
        }
      }
      while (count < most && ring.next()) {
        onPacket(ring);
        count++;
      }
      if (count < most) {
        onBlockEnd?.();
        ring.release();
      }
    }
    return count;
  }

  /** Woken without a packet: the kernel reports an error of the socket that way. */
  #lookAtInterface(): void {
    const errno = takeSocketError(this.#libc, this.#options.descriptor);
    if (errno !== ENETDOWN || this.#downSinceUs !== Infinity) return;
    this.#downSinceUs = Date.now() * 1_000;
    const { interfaceName } = this.#options;
    this.#options.onWarning(`the interface ${interfaceName} is down; nothing is captured until it comes back`);
    clearInterval(this.#lookout);
    this.#lookout = setInterval(() => this.#lookForInterface(), lookForInterfaceMs);
  }

  /** The kernel goes on by itself when the interface comes up again, but not with a new one of the same name. */
  #lookForInterface(): void {
    const { descriptor, interfaceName } = this.#options;
    const now = this.#libc.interfaceIndex(interfaceName);
    if (now === 0 || now === this.#index) return;
    this.#index = now;
    clearInterval(this.#lookout);
    const isBound = bindToInterface(this.#libc, descriptor, now);
    // Sockets of a group cannot be attached anew.
    const then = isBound ? 'it is captured on now' : 'restart to capture on it';
    this.#options.onWarning(`there is a new interface ${interfaceName}: ${then}`);
    if (isBound) this.#downSinceUs = Infinity;
  }

  #sayItIsUp(): void {
    this.#downSinceUs = Infinity;
    clearInterval(this.#lookout);
    this.#options.onWarning(`the interface ${this.#options.interfaceName} is up again`);
  }

  /** Takes nothing more; what the kernel has taken is handed over first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { descriptor } = this.#options;
    attachFilter(this.#libc, descriptor, buildEmptyFilter());
    clearInterval(this.#lookout);
    clearTimeout(this.#rest);
    this.#poll.stop();
    // Two rounds: what came before the filter, and then the last block, which the kernel holds until its timeout.
    await delay(lastBlockMs);
    while (this.#handOver(packetsPerTurnMax) > 0) await delay(0);
    this.#lastDrops = this.#drops.read();
    this.#closed = true;
    this.#poll.close();
    this.#ring.close();
    this.#libc.close(descriptor);
  }
}
