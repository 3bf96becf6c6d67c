/**
 * Datagrams from a UDP port: the source behind tunnels (VXLAN, GENEVE).
 *
 * There are two ways to the same contract. On Linux, batches are read by recvmmsg from a socket of our own; elsewhere,
 * or without koffi, Node's `dgram` serves, with a warning that says what is lost. Datagrams are handed over in the
 * order in which the kernel received them, as views over a buffer that is reused after the call.
 */
import { loadLibc } from '../system/libc.ts';
import { openBatchUdpSource } from './udp-batch-source.ts';
import { openDgramUdpSource } from './udp-dgram-source.ts';

/** Receives one datagram, `bytes[start..end)`, valid during the call only; `timeUs` is in microseconds since the epoch. */
export type DatagramListener = (bytes: Buffer, start: number, end: number, timeUs: number) => void;

export interface UdpSourceOptions {
  /** Numeric address: names are resolved by the caller. `::` takes IPv4 too. */
  host: string;
  /** 0 lets the kernel choose. */
  port: number;
  onDatagram: DatagramListener;
  /** Called after a batch was handed over, before other work of the thread gets its turn. */
  onBatchEnd?: () => void;
  /**
   * A socket that is bound already, from `bindUdpGroup`; `host` and `port` are then not used. The source closes it.
   * Linux with koffi only.
   */
  descriptor?: number;
  /** What the kernel may hold while the thread is busy. */
  receiveBufferBytes?: number;
  /** Datagrams read by one system call. */
  batch?: number;
  /** Use `dgram` even where the better way is there. */
  forceDgram?: boolean;
}

export interface UdpSourceCounters {
  /** Datagrams handed to `onDatagram`. */
  readonly received: number;
  /** Of these, datagrams that were longer than the receive buffer and lost their end. */
  readonly truncated: number;
  /** Datagrams that the kernel dropped, because its buffer was full or a checksum was wrong; null when it cannot say. */
  readonly kernelDrops: number | null;
  /** Reads that failed for a reason that passes, such as want of memory. */
  readonly readErrors: number;
}

export interface UdpSource {
  readonly address: string;
  readonly port: number;
  /** A snapshot. */
  counters(): UdpSourceCounters;
  /** Sentences for the user: what is not as it should be. */
  readonly warnings: readonly string[];
  /** Frees the port. What was read is handed over first; after the promise resolves, nothing more comes. */
  close(): Promise<void>;
}

/** Opens the source. Throws `SystemError` when the address cannot be listened on. */
export async function openUdpSource(options: UdpSourceOptions): Promise<UdpSource> {
  const result = options.forceDgram === true ? { unavailable: 'it was asked for' } : loadLibc();
  if ('libc' in result) return openBatchUdpSource(result.libc, options);
  return openDgramUdpSource(options, result.unavailable);
}
