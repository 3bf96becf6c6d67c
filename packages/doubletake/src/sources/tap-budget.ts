/**
 * How much a tap may take of its host, and what it leaves out to keep within that. Pure: time, processor time and counts
 * come in.
 *
 * Whole connections are left out first: a number made of a packet's addresses and ports decides, the same for both
 * directions, so what is sent stays worth something. The share that is sent follows what there is to do. Until it has
 * found its level, hard limits hold: packets beyond the rate are left out, and whole blocks of packets, unread, while
 * more processor time is used up than there was.
 */

export interface TapLimits {
  /** Processor time as a share of one processor: 0.05 is 5 %. */
  cpuShare: number;
  /** Null for no limit. */
  packetsPerSecond: number | null;
  bytesPerSecond: number | null;
}

type Reason = 'cpu' | 'rate';

/** What is not used up can be spent within this time, as a burst. */
const burstUs = 200_000;
/** The share is looked at this often. */
const adaptEveryUs = 250_000;
const shareMin = 0.005;
/** The share is to use this part of a limit, so that the hard limits need not hold. */
const aim = 0.93;
/** By how much the share may change at once. */
const fallMax = 0.5;
const riseMax = 1.25;
/** A rate beyond any interface, with which one can still calculate. */
const boundless = 1e15;

export class TapBudget {
  readonly skipped: Record<Reason, number> = { cpu: 0, rate: 0 };
  readonly #limits: TapLimits;
  #lastUs: number;
  #lastCpuUs: number;
  /** Processor time left over, microseconds; below zero when too much was used. */
  #cpuCreditUs: number;
  #packetCredit = 0;
  #byteCredit = 0;
  /** Of all connections, those are sent whose number is below this share of the numbers. */
  #share = 1;
  #lowered: Reason = 'cpu';
  /** Since the share was looked at last; `wanted` is what the share let through, sent or not. */
  #period = { startUs: 0, cpuUs: 0, seen: 0, unread: 0, wanted: 0, wantedBytes: 0, beyondRate: 0 };

  constructor(limits: TapLimits, nowUs: number, cpuUs: number) {
    this.#limits = limits;
    this.#lastUs = nowUs;
    this.#lastCpuUs = cpuUs;
    this.#cpuCreditUs = limits.cpuShare * burstUs;
    this.#addRates(burstUs);
    this.#period.startUs = nowUs;
  }

  /** Share of the connections that is sent, 0 to 1. */
  get share(): number {
    return this.#share;
  }

  /** Milliseconds until there is processor time to spend again; 0 while there is. */
  get exhaustedMs(): number {
    return this.#cpuCreditUs >= 0 ? 0 : -this.#cpuCreditUs / this.#limits.cpuShare / 1_000;
  }

  /** Tells how late it is and how much processor time the process has used, both in microseconds since any time. */
  observe(nowUs: number, cpuUs: number): void {
    const elapsedUs = nowUs - this.#lastUs;
    const usedUs = cpuUs - this.#lastCpuUs;
    this.#lastUs = nowUs;
    this.#lastCpuUs = cpuUs;
    const { cpuShare } = this.#limits;
    this.#cpuCreditUs = Math.min(this.#cpuCreditUs + elapsedUs * cpuShare - usedUs, cpuShare * burstUs);
    this.#addRates(elapsedUs);
    this.#period.cpuUs += usedUs;
    if (nowUs - this.#period.startUs >= adaptEveryUs) this.#adapt(nowUs);
  }

  /** Whether a block of so many packets must be left unread, which is then counted. */
  skipsBlock(packets: number): boolean {
    if (this.#cpuCreditUs >= 0) return false;
    this.skipped.cpu += packets;
    this.#period.unread += packets;
    return true;
  }

  /** Whether a packet is sent, of the connection with this number (0 to 2^32 - 1); one that is not is counted. */
  takes(connection: number, bytes: number): boolean {
    this.#period.seen++;
    if (connection >= this.#share * 0x1_0000_0000) {
      this.skipped[this.#lowered]++;
      return false;
    }
    this.#period.wanted++;
    this.#period.wantedBytes += bytes;
    if (this.#packetCredit < 1 || this.#byteCredit < bytes) {
      this.skipped.rate++;
      this.#period.beyondRate++;
      return false;
    }
    this.#packetCredit--;
    this.#byteCredit -= bytes;
    return true;
  }

  #addRates(elapsedUs: number): void {
    const { packetsPerSecond, bytesPerSecond } = this.#limits;
    const packets = packetsPerSecond ?? boundless;
    const bytes = bytesPerSecond ?? boundless;
    // At least one packet of the largest size must fit, or nothing would ever be sent.
    this.#packetCredit = Math.min(this.#packetCredit + (packets * elapsedUs) / 1e6, Math.max((packets * burstUs) / 1e6, 1));
    this.#byteCredit = Math.min(this.#byteCredit + (bytes * elapsedUs) / 1e6, Math.max((bytes * burstUs) / 1e6, 1 << 20));
  }

  /** Compares what there was to do with what may be done, as if nothing had been beyond the limits. */
  #adapt(nowUs: number): void {
    const { startUs, cpuUs, seen, unread, wanted, wantedBytes, beyondRate } = this.#period;
    const seconds = (nowUs - startUs) / 1e6;
    const { cpuShare, packetsPerSecond, bytesPerSecond } = this.#limits;
    // Blocks that were not read would have cost as much as those that were.
    const unreadFactor = seen === 0 ? (unread === 0 ? 1 : boundless) : (seen + unread) / seen;
    const byCpu = (cpuShare * seconds * 1e6) / Math.max(cpuUs * unreadFactor, 1);
    const byRate = Math.min(
      ((packetsPerSecond ?? boundless) * seconds) / Math.max(wanted * unreadFactor, 1),
      ((bytesPerSecond ?? boundless) * seconds) / Math.max(wantedBytes * unreadFactor, 1),
    );
    const factor = aim * Math.min(byCpu, byRate);
    if (factor < 1 && unread + beyondRate > 0) {
      this.#lowered = byCpu < byRate ? 'cpu' : 'rate';
      this.#share = Math.max(this.#share * Math.max(factor, fallMax), shareMin);
    } else if (factor > 1) {
      this.#share = Math.min(this.#share * Math.min(factor, riseMax), 1);
    }
    this.#period = { startUs: nowUs, cpuUs: 0, seen: 0, unread: 0, wanted: 0, wantedBytes: 0, beyondRate: 0 };
  }
}

/** A number from 0 to 2^32 - 1 of the connection that an IP packet belongs to: the same for both directions. */
export function connectionNumber(bytes: Buffer, network: number, end: number): number {
  if (end - network < 20) return 0;
  const isIpv6 = bytes[network] >>> 4 === 6;
  if (isIpv6 && end - network < 40) return 0;
  let hash = 0;
  const [first, words] = isIpv6 ? [network + 8, 4] : [network + 12, 1];
  for (let word = 0; word < words; word++) {
    const source = bytes.readInt32BE(first + word * 4);
    hash = Math.imul(hash + (source ^ bytes.readInt32BE(first + (word + words) * 4)), 0x9e37_79b1);
  }
  const isFragment = !isIpv6 && (bytes.readUInt16BE(network + 6) & 0x3fff) !== 0;
  if (!isFragment) {
    const ports = network + (isIpv6 ? 40 : (bytes[network] & 0x0f) * 4);
    if (ports + 4 <= end) hash += Math.imul(bytes.readUInt16BE(ports) ^ bytes.readUInt16BE(ports + 2), 0x85eb_ca6b);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
