/**
 * The UDP source for systems without libc through koffi: Node's `dgram`, an object and a read for every datagram.
 * Times are those of the handing over, since the kernel's are out of reach, and so is its count of dropped datagrams.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { hostPortText } from '../host-port.ts';
import { SystemError, systemErrorFromName } from '../system/errors.ts';
import { receiveBufferWarning } from '../system/udp-socket.ts';
import { receiveBufferBytesDefault } from './udp-defaults.ts';
import type { UdpSource, UdpSourceCounters, UdpSourceOptions } from './udp-source.ts';

/** Opens a source on `dgram`; `why` completes the warning. Rejects with `SystemError`. */
export async function openDgramUdpSource(options: UdpSourceOptions, why: string): Promise<UdpSource> {
  const { host, port, receiveBufferBytes = receiveBufferBytesDefault } = options;
  if (options.descriptor !== undefined) {
    throw new SystemError('DT_SOURCE_UNAVAILABLE', `several workers on one UDP port: not available here, ${why}`, '');
  }
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(systemErrorFromName(`cannot listen on UDP ${hostPortText({ host, port })}`, error.code ?? error.message));
    });
    socket.bind({ address: host, port, exclusive: true }, resolve);
  });
  socket.removeAllListeners('error');
  const warnings = [
    `receiving through Node's dgram (${why}): it takes about twice the CPU per packet and is sooner overrun, ` +
      'packets that the kernel drops are not counted, and only one worker can receive',
    ...growReceiveBuffer(socket, receiveBufferBytes),
  ];
  return new DgramUdpSource(socket, warnings, options);
}

/** libuv calls a size that the kernel refuses an error, on systems that do not cut it to their limit. */
function growReceiveBuffer(socket: Socket, bytes: number): string[] {
  try {
    socket.setRecvBufferSize(bytes);
  } catch (error) {
    return [`${receiveBufferWarning(bytes, socket.getRecvBufferSize())} (${String(error)})`];
  }
  const granted = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
  return granted >= bytes ? [] : [receiveBufferWarning(bytes, granted)];
}

class DgramUdpSource implements UdpSource {
  readonly address: string;
  readonly port: number;
  readonly warnings: readonly string[];
  readonly #socket: Socket;
  readonly #options: UdpSourceOptions;
  #closed = false;
  #batchEndPlanned = false;
  #received = 0;
  #readErrors = 0;

  constructor(socket: Socket, warnings: readonly string[], options: UdpSourceOptions) {
    this.#socket = socket;
    this.#options = options;
    this.warnings = warnings;
    const { address, port } = socket.address();
    this.address = address;
    this.port = port;
    socket.on('error', () => this.#readErrors++);
    socket.on('message', (message) => this.#handOver(message, (performance.timeOrigin + performance.now()) * 1000));
  }

  #handOver(message: Buffer, timeUs: number): void {
    this.#received++;
    this.#options.onDatagram(message, 0, message.length, Math.floor(timeUs));
    if (this.#batchEndPlanned || this.#options.onBatchEnd === undefined) return;
    this.#batchEndPlanned = true;
    setImmediate(() => {
      this.#batchEndPlanned = false;
      this.#options.onBatchEnd?.();
    });
  }

  counters(): UdpSourceCounters {
    return { received: this.#received, truncated: 0, kernelDrops: null, readErrors: this.#readErrors };
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(resolve));
  }
}
