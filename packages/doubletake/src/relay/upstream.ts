/** Connections to production: its addresses in turn, TLS where it speaks TLS, all within the connect timeout. */
import { lookup } from 'node:dns/promises';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { DoubletakeError } from '../errors.ts';
import type { RelayOptions } from './options.ts';

/** An answer to a name is used for this long; while a new one cannot be had, for longer. */
const lookupAgeMaxMs = 5_000;

/** One of several addresses that has not answered after this long is tried beside the next. */
const attemptMs = 1_000;

/** A peer that is gone without a word is noticed after about this long without traffic. */
export const keepAliveMs = 60_000;

export class Upstream {
  readonly #options: RelayOptions['upstream'];
  readonly #timeoutMs: number;
  readonly #context: SecureContext | null;
  #known: readonly { address: string; family: number }[] = [];
  #lookedUpAtMs = -Infinity;
  #lookup: Promise<void> | null = null;
  #turn = 0;

  /** Throws when the authorities cannot be used. */
  constructor(options: RelayOptions['upstream'], timeoutMs: number) {
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#context = options.tls === null ? null : openContext(options.tls.ca);
  }

  /**
   * A connection over which bytes can be sent; reading has not begun. `preface` goes out first, before TLS; `protocol` is
   * what the client agreed to (ALPN), and production has to agree to the same. Rejects with the reason.
   */
  async open(preface: () => Buffer | null, protocol: string | null, started: (socket: Socket) => void): Promise<{ socket: Socket; raw: Socket }> {
    const { host, port } = this.#options;
    const raw: Socket = connect({
      host,
      port,
      ...(this.#context === null ? { onread: { buffer: readBuffer, callback: (length) => handOver(raw, length) } } : {}),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
      autoSelectFamilyAttemptTimeout: attemptMs,
      lookup: this.#find,
    });
    started(raw);
    const timer = setTimeout(() => raw.destroy(new Error(`no connection within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    try {
      await happened(raw, 'connect');
      const first = preface();
      if (first !== null) raw.write(first);
      if (this.#context === null) return { socket: raw.pause(), raw };
      const socket = connectTls({
        socket: raw,
        host,
        secureContext: this.#context,
        ...(protocol === null ? {} : { ALPNProtocols: [protocol] }),
        ...(isIP(host) === 0 ? { servername: host.replace(/\.$/, '') } : {}),
      });
      socket.pause();
      await secured(socket, raw);
      // A server without ALPN speaks HTTP/1.1.
      if (protocol !== null && (socket.alpnProtocol || 'http/1.1') !== protocol) {
        raw.destroy();
        throw new Error(`production does not speak ${protocol}`);
      }
      return { socket, raw };
    } finally {
      clearTimeout(timer);
    }
  }

  /** For `connect`: the addresses known, each call beginning with another. */
  readonly #find: LookupFunction = (hostname, { all }, found) => {
    void this.#addresses(hostname).then(
      (addresses) => {
        const start = this.#turn++ % addresses.length;
        const turned = [...addresses.slice(start), ...addresses.slice(0, start)];
        if (all === true) found(null, turned);
        else found(null, turned[0].address, turned[0].family);
      },
      (error: unknown) => found(error instanceof Error ? error : new Error(String(error)), []),
    );
  };

  async #addresses(hostname: string): Promise<readonly { address: string; family: number }[]> {
    if (performance.now() - this.#lookedUpAtMs > lookupAgeMaxMs) {
      this.#lookup ??= lookup(hostname, { all: true, order: 'verbatim' })
        .then((found) => {
          this.#known = found;
          this.#lookedUpAtMs = performance.now();
        })
        .finally(() => {
          this.#lookup = null;
        });
      // Nobody waits for a new answer while there is an old one.
      if (this.#known.length === 0) await this.#lookup;
      else this.#lookup.catch(() => {});
    }
    return this.#known;
  }
}

/**
 * All connections to production that are in the clear are read into this, one after the other: without it, each read would
 * allocate as much.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** What was read becomes an event of the socket like any other, with bytes of its own. */
function handOver(socket: Socket, length: number): boolean {
  socket.emit('data', Buffer.from(readBuffer.subarray(0, length)));
  return true;
}

/** Resolves with the event; rejects when the socket closes before. */
function happened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure = new Error('the connection was closed');
    socket.on('error', (error) => (failure = error)).once('close', () => reject(failure)).once(event, () => resolve());
  });
}

/** The same for a handshake, which either of the two sockets can end. */
async function secured(socket: TLSSocket, raw: Socket): Promise<void> {
  socket.once('error', () => raw.destroy());
  await happened(socket, 'secureConnect');
}

function openContext(ca: string | null): SecureContext {
  const system = [...getCACertificates('system'), ...getCACertificates('extra')];
  try {
    return createSecureContext({ ca: ca ?? (system.length > 0 ? system : getCACertificates('bundled')) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_PROXY_TLS', `cannot use the certificate authorities of a proxy: ${reason}`, { cause: error });
  }
}
