/**
 * A tap: what passes an interface is sent on as VXLAN, so that any Linux host is a mirror source for a doubletake
 * elsewhere. The host comes first: the tap never waits, and leaves out what would cost more than it may.
 */
import { lookup } from 'node:dns/promises';
import { DoubletakeError } from '../errors.ts';
import { type HostPort, hostPortText } from '../host-port.ts';
import { RingSource } from '../sources/ring-source.ts';
import { connectionNumber, TapBudget, type TapLimits } from '../sources/tap-budget.ts';
import { TapFramer, tapHeadBytes } from '../sources/tap-framer.ts';
import { BatchSender } from '../system/batch-sender.ts';
import { buildCaptureFilter, frameBytesAll } from '../system/capture-filter.ts';
import { type Libc, needLibc } from '../system/libc.ts';
import type { PacketRing } from '../system/packet-ring.ts';
import { openPacketSockets } from '../system/packet-socket.ts';
import { attachFilter } from '../system/socket-options.ts';

export interface TapOptions extends TapLimits {
  /** Name of an interface, or `any`. */
  interfaceName: string;
  /** Server ports; empty takes all TCP. */
  ports: readonly number[];
  to: HostPort;
  vni: number;
  /** Bytes of each frame that are sent; null for all. */
  frameBytesMax: number | null;
  ringBytes: number;
}

/** Invariant: captured + added = sent + failed + skipped.cpu + skipped.rate. */
export interface TapReport {
  /** Packets that came into the ring. */
  captured: number;
  /** Datagrams beyond one for each packet, for packets that were cut into several. */
  added: number;
  /** Datagrams sent. */
  sent: number;
  /** Datagrams that the socket did not take: no room, no route, or nobody there. */
  failed: number;
  /** Packets of which not all bytes were sent. */
  truncated: number;
  /** Packets left out to keep within the limits. */
  skipped: { cpu: number; rate: number };
  /** Packets that the kernel dropped because the ring was full. */
  kernelDrops: number;
  /** Processor time since the start, and the time that has passed, milliseconds. */
  cpuMs: number;
  elapsedMs: number;
}

const slots = 256;
/** Reading clocks costs about as much as sending a packet: not for every block. */
const observeEveryMs = 2;
const lookAtWayEveryMs = 5_000;
/** Waking up costs as much as sending many packets, and the ring can wait. */
const restMs = 10;
/** The ring holds half a second of little traffic, and less of much. */
const restMsMax = 100;

export class Tap {
  readonly #options: TapOptions;
  readonly #onWarning: (text: string) => void;
  readonly #startMs = performance.now();
  readonly #startCpuUs = cpuUs();
  readonly #budget: TapBudget;
  readonly #sender: BatchSender;
  readonly #framer: TapFramer;
  readonly #source: RingSource;
  readonly #wayTimer: NodeJS.Timeout;
  #observedMs = 0;
  #captured = 0;
  #warned = false;

  /** Opens the tap; packets flow when this resolves. Rejects with a `DoubletakeError`. */
  static async open(options: TapOptions, onWarning: (text: string) => void): Promise<Tap> {
    const libc = needLibc('capturing on an interface');
    const { host, port } = options.to;
    const found = await lookup(host).catch((error: unknown) => {
      throw new DoubletakeError('DT_TAP_RECEIVER', `cannot send to ${host}: the name is not known here`, { cause: error });
    });
    const sender = new BatchSender(libc, { host: found.address, port, slots, headBytes: tapHeadBytes });
    try {
      return new Tap(libc, sender, { ...options, to: { host: found.address, port } }, onWarning);
    } catch (error) {
      sender.close();
      throw error;
    }
  }

  private constructor(libc: Libc, sender: BatchSender, options: TapOptions, onWarning: (text: string) => void) {
    const { interfaceName, ports, vni, frameBytesMax, ringBytes } = options;
    this.#options = options;
    this.#onWarning = onWarning;
    this.#budget = new TapBudget(options, this.#startMs * 1_000, this.#startCpuUs);
    this.#sender = sender;
    const [descriptor = -1] = openPacketSockets(
      libc,
      { interfaceName, ringBytes },
      { count: 1, program: null, defragment: false },
    );
    this.#source = new RingSource(libc, {
      descriptor,
      interfaceName,
      ringBytes,
      onPacket: (packet) => this.#take(packet),
      onBlockEnd: () => this.#sender.flush(),
      skipBlock: (packets) => this.#skips(packets),
      restMs: () => Math.min(Math.max(this.#budget.exhaustedMs, restMs), restMsMax),
      onWarning,
    });
    this.#framer = new TapFramer(this.#sender, vni, this.#source.ringAddress);
    this.#wayTimer = setInterval(() => this.#framer.updateFrameBytesMax(), lookAtWayEveryMs);
    // The tap's own datagrams are UDP, which this filter never takes.
    attachFilter(libc, descriptor, buildCaptureFilter({ ports, frameBytesMax: frameBytesMax ?? frameBytesAll }));
  }

  /** As in the ready line. */
  get address(): string {
    const { interfaceName, to, vni } = this.#options;
    return `interface=${interfaceName} to=${hostPortText(to)} vni=${vni}`;
  }

  report(): TapReport {
    const { added, truncated } = this.#framer;
    const { sent, failed } = this.#sender;
    return {
      captured: this.#captured,
      added,
      sent,
      failed,
      truncated,
      skipped: { ...this.#budget.skipped },
      kernelDrops: this.#source.kernelDrops,
      cpuMs: (cpuUs() - this.#startCpuUs) / 1_000,
      elapsedMs: performance.now() - this.#startMs,
    };
  }

  /** Ends the capture; what was captured is sent first. */
  async close(): Promise<TapReport> {
    clearInterval(this.#wayTimer);
    await this.#source.close();
    const report = this.report();
    this.#sender.close();
    return report;
  }

  #skips(packets: number): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#observedMs >= observeEveryMs) {
      this.#observedMs = nowMs;
      this.#budget.observe(nowMs * 1_000, cpuUs());
      if (!this.#warned) this.#warnOfSkipping();
    }
    if (!this.#budget.skipsBlock(packets)) return false;
    this.#captured += packets;
    return true;
  }

  #take(packet: PacketRing): void {
    this.#captured++;
    const { bytes, network, start, end } = packet;
    const connection = this.#budget.share < 1 ? connectionNumber(bytes, network, end) : 0;
    if (this.#budget.takes(connection, end - start)) this.#framer.push(packet);
  }

  #warnOfSkipping(): void {
    const { cpu, rate } = this.#budget.skipped;
    if (cpu + rate === 0) return;
    this.#warned = true;
    const limit = cpu >= rate ? `--cpu ${this.#options.cpuShare * 100}%` : '--rate';
    this.#onWarning(`more passes the interface than ${limit} allows to send: connections are left out, and counted`);
  }
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
