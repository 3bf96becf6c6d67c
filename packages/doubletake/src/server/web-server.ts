/** The HTTP or HTTPS server below the dashboard, with bounds on what a client may take. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { type CertificateFiles, certificateVersion, readCertificate } from '../certificate-files.ts';
import { DoubletakeError } from '../errors.ts';
import type { ClientLimits } from './client-limits.ts';

/** Without `tls`, HTTP. Throws a `DoubletakeError` when the certificate cannot be used; `warning` hears of a later one. */
export function openWebServer(
  handler: RequestListener,
  limits: Readonly<ClientLimits>,
  tls: CertificateFiles | undefined,
  warning: (text: string) => void,
): Server {
  const options = {
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headBytesMax,
  };
  const server = tls === undefined ? createServer(options, handler) : openSecureServer(handler, options, limits, tls, warning);
  server.setTimeout(limits.idleMs);
  server.maxConnections = limits.connectionsMax;
  return server;
}

/** A client that breaks off or sends nonsense is told so in one line, and let go. */
export function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const line = brokenLines[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

const brokenLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function openSecureServer(
  handler: RequestListener,
  options: object,
  { headMs, certificateEveryMs }: Readonly<ClientLimits>,
  files: CertificateFiles,
  warning: (text: string) => void,
): Server {
  let version = certificateVersion(files);
  let pair: { cert: Buffer; key: Buffer };
  try {
    pair = readCertificate(files);
  } catch (error) {
    throw new DoubletakeError('DT_DASHBOARD_TLS', (error as Error).message, { cause: error });
  }
  const server = createSecureServer({ ...options, ...pair, minVersion: 'TLSv1.2', handshakeTimeout: headMs }, handler);
  const timer = setInterval(() => {
    const now = certificateVersion(files);
    if (now === version) return;
    version = now;
    try {
      server.setSecureContext({ ...readCertificate(files), minVersion: 'TLSv1.2' });
    } catch (error) {
      warning(`dashboard: ${(error as Error).message}; the one from before stays`);
    }
  }, certificateEveryMs).unref();
  server.on('close', () => clearInterval(timer));
  return server;
}
