/**
 * The UDP source for Linux: the event loop says that the socket is readable, and recvmmsg drains it in batches.
 *
 * Three states follow each other. Waiting: the event loop watches the socket, nothing polls, and the first datagram is
 * handed over at once. Resting: after a turn that found something, the next one comes by a timer, since waking up costs
 * as much as several datagrams; a rest that finds nothing goes back to waiting. Behind: a turn ended at its bound, so
 * the next turn of the loop goes on at once, after the thread's sockets and timers had theirs.
 */
import { BatchReceiver } from '../system/batch-receiver.ts';
import type { Libc, ReadablePoll } from '../system/libc.ts';
import { boundAddress, DropReader, enableTimestamps, openUdpSocket } from '../system/udp-socket.ts';
import { batchDefault, datagramsPerTurnMax, receiveBufferBytesDefault, restMs } from './udp-defaults.ts';
import type { DatagramListener, UdpSource, UdpSourceCounters, UdpSourceOptions } from './udp-source.ts';

/**
 * A time that goes back by this much tells of a clock that was set, which is followed. By less, of a kernel that began to
 * stamp arrivals a moment after it was asked to, and stamped what came before when it was read.
 */
const clockSetUsMin = 1_000_000;

/** Opens a source that reads through libc. Throws `SystemError`. */
export function openBatchUdpSource(libc: Libc, options: UdpSourceOptions): UdpSource {
  const { host, port, descriptor, receiveBufferBytes = receiveBufferBytesDefault } = options;
  const socket =
    descriptor === undefined
      ? openUdpSocket(libc, { host, port, receiveBufferBytes })
      : { descriptor, ...boundAddress(libc, descriptor), warnings: [] };
  try {
    enableTimestamps(libc, socket.descriptor);
    return new BatchUdpSource(libc, socket, options);
  } catch (error) {
    libc.close(socket.descriptor);
    throw error;
  }
}

class BatchUdpSource implements UdpSource {
  readonly address: string;
  readonly port: number;
  readonly warnings: readonly string[];
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #receiver: BatchReceiver;
  readonly #drops: DropReader;
  readonly #onDatagram: DatagramListener;
  readonly #onBatchEnd: (() => void) | undefined;
  readonly #poll: ReadablePoll;
  readonly #turnCallback = (): void => this.#turn();
  #restTimer: NodeJS.Timeout | null = null;
  #closed = false;
  #received = 0;
  #truncated = 0;
  #lastTimeUs = 0;
  #handingOver = false;
  #dropsLastRead = 0;
  #dropsTotal = 0;

  constructor(
    libc: Libc,
    socket: { descriptor: number; address: string; port: number; warnings: string[] },
    options: UdpSourceOptions,
  ) {
    this.#libc = libc;
    this.#descriptor = socket.descriptor;
    this.address = socket.address;
    this.port = socket.port;
    this.warnings = socket.warnings;
    this.#receiver = new BatchReceiver(libc, socket.descriptor, { slots: options.batch ?? batchDefault });
    this.#drops = new DropReader(libc, socket.descriptor);
    this.#onDatagram = options.onDatagram;
    this.#onBatchEnd = options.onBatchEnd;
    // The poll callback runs outside of Node's own scopes: promises and `nextTick` would not be served after it, and
    // an exception would get lost. An immediate of the same loop iteration has all that.
    this.#poll = libc.pollReadable(socket.descriptor, () => {
      this.#poll.stop();
      setImmediate(this.#turnCallback);
    });
  }

  /** One turn of the event loop: batches until the socket is empty or the turn's share is used up. */
  #turn(): void {
    if (this.#closed) return;
    const receiver = this.#receiver;
    let handedOver = 0;
    let count: number;
    do {
      count = receiver.receive();
      if (count > 0) this.#handOver(count);
      handedOver += count;
      // A batch that is not full was all there was: asking again would cost a system call for nothing.
    } while (count === receiver.slots && handedOver < datagramsPerTurnMax && !this.#closed);
    if (!this.#closed) this.#planNext(handedOver, count === receiver.slots);
  }

  #planNext(handedOver: number, isBehind: boolean): void {
    if (isBehind) {
      setImmediate(this.#turnCallback);
    } else if (handedOver === 0) {
      this.#poll.start();
    } else if (this.#restTimer === null) {
      this.#restTimer = setTimeout(this.#turnCallback, restMs);
    } else {
      this.#restTimer.refresh();
    }
  }

  #handOver(count: number): void {
    this.#handingOver = true;
    const receiver = this.#receiver;
    const onDatagram = this.#onDatagram;
    const bytes = receiver.bytes;
    for (let slot = 0; slot < count; slot++) {
      const start = slot * receiver.stride;
      if (receiver.truncated(slot)) this.#truncated++;
      this.#received++;
      const timeUs = receiver.takeTimeUs(slot);
      if (timeUs > this.#lastTimeUs || (timeUs >= 0 && this.#lastTimeUs - timeUs >= clockSetUsMin)) this.#lastTimeUs = timeUs;
      onDatagram(bytes, start, start + receiver.length(slot), this.#lastTimeUs);
    }
    this.#onBatchEnd?.();
    this.#handingOver = false;
  }

  counters(): UdpSourceCounters {
    if (!this.#closed) this.#readDrops();
    return {
      received: this.#received,
      truncated: this.#truncated,
      kernelDrops: this.#dropsTotal,
      readErrors: this.#receiver.readErrors,
    };
  }

  #readDrops(): void {
    const now = this.#drops.read();
    this.#dropsTotal += (now - this.#dropsLastRead) >>> 0;
    this.#dropsLastRead = now;
  }

  /** Hands over what the kernel had received by `untilUs`; what comes later is no longer ours. */
  #drain(untilUs: number): void {
    for (let count = this.#receiver.receive(); count > 0; count = this.#receiver.receive()) {
      this.#handOver(count);
      if (this.#lastTimeUs > untilUs) return;
    }
  }

  close(): Promise<void> {
    if (!this.#closed) {
      // From within `onDatagram` the buffer is still in use; then what waits in the kernel is left.
      if (!this.#handingOver) this.#drain(Date.now() * 1_000);
      this.#readDrops();
      this.#closed = true;
      this.#poll.close();
      if (this.#restTimer !== null) clearTimeout(this.#restTimer);
      this.#libc.close(this.#descriptor);
    }
    // Called from within `onDatagram`, the rest of its batch is still being handed over: that ends before this resolves.
    return Promise.resolve();
  }
}
