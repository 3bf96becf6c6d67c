/**
 * Ends the TLS of a relay's clients. Certificate files that changed are read again, so that a renewed certificate serves
 * the next connection; files that cannot be used leave the old one in place.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { type CertificateFiles, certificateVersion, readCertificate } from '../certificate-files.ts';
import { DoubletakeError } from '../errors.ts';

/** A change is seen after at most this time. */
const lookEveryMs = 5_000;

export class TlsTermination {
  readonly #files: CertificateFiles;
  readonly #changed: (problem: string | null) => void;
  readonly #timer: NodeJS.Timeout;
  /** Listens nowhere: connections are handed to it. */
  readonly #server: Server;
  /** By `labelOf`: handshakes under way. */
  readonly #waiting = new Map<string, PromiseWithResolvers<TLSSocket>>();
  #state: string;

  /**
   * `protocols` are offered by ALPN (RFC 7301), the preferred one first. `changed` is told of each change of the files:
   * null, or why they cannot be used. Throws when the first cannot.
   */
  constructor(
    files: CertificateFiles,
    protocols: readonly string[],
    handshakeTimeoutMs: number,
    changed: (problem: string | null) => void,
  ) {
    this.#files = files;
    this.#changed = changed;
    this.#state = certificateVersion(files);
    this.#server = createServer({ ...read(files), ALPNProtocols: [...protocols], handshakeTimeout: handshakeTimeoutMs });
    this.#server.on('secureConnection', (socket) => this.#waiting.get(labelOf(socket))?.resolve(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      this.#waiting.get(labelOf(socket))?.reject(error);
      socket.destroy();
    });
    this.#timer = setInterval(() => this.reload(), lookEveryMs).unref();
  }

  /** Resolves when the handshake on `raw` is done, of which nothing but a PROXY header has been read; reading has not begun. */
  async terminate(raw: Socket): Promise<TLSSocket> {
    const label = labelOf(raw);
    const done = Promise.withResolvers<TLSSocket>();
    raw.once('close', () => done.reject(new Error('the client left')));
    this.#waiting.set(label, done);
    this.#server.emit('connection', raw);
    try {
      return (await done.promise).pause();
    } finally {
      this.#waiting.delete(label);
    }
  }

  /** Looks whether the files changed, and takes them up. */
  reload(): void {
    const state = certificateVersion(this.#files);
    if (state === this.#state) return;
    this.#state = state;
    try {
      this.#server.setSecureContext(read(this.#files));
      this.#changed(null);
    } catch (error) {
      this.#changed(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** A connection's two ends tell it from every other. */
function labelOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** The files' content, of which it is known that it can be used. */
function read(files: CertificateFiles): { cert: Buffer; key: Buffer } {
  try {
    return readCertificate(files);
  } catch (error) {
    throw new DoubletakeError('DT_PROXY_TLS', (error as Error).message, { cause: error });
  }
}
