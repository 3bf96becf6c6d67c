/**
 * The answer for a load balancer: `GET /healthz` is 200 only while packets can flow through to an outcome. A balancer
 * that only opens a TCP connection gets it accepted. Beside it, `GET /metrics` for Prometheus.
 */
import { createServer, type Server } from 'node:http';
import { DoubletakeError } from '../errors.ts';
import type { HostPort } from '../host-port.ts';
import type { Exposition } from './metrics/exposition.ts';

export interface HealthServer {
  host: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Serves health and metrics on `host:port` (0 lets the system choose). `problem` says what is wrong, or null; `metrics`
 * gets the header `Accept` of a scrape.
 */
export async function startHealthServer(
  { host, port }: HostPort,
  problem: () => string | null,
  metrics: (accept: string | undefined) => Exposition,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/healthz' && path !== '/' && path !== '/metrics') {
      return answer(404, { error: 'there are only /healthz and /metrics here' });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, { error: 'only GET' });
    if (path === '/metrics') {
      try {
        const { type, text } = metrics(request.headers.accept);
        return send(200, type, text);
      } catch (error) {
        // A mistake of ours here must not end the mirror.
        return answer(500, { error: `metrics cannot be read: ${error instanceof Error ? error.message : String(error)}` });
      }
    }
    const reason = problem();
    return answer(reason === null ? 200 : 503, reason === null ? { status: 'ok' } : { status: 'failing', reason });

    function answer(status: number, body: object): void {
      send(status, 'application/json', `${JSON.stringify(body)}\n`);
    }

    function send(status: number, type: string, text: string): void {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : text);
    }
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 256;
  // A client that breaks off or sends nonsense is no concern of ours.
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, host, port);
  const address = server.address();
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new DoubletakeError(
              'DT_HEALTH_PORT_IN_USE',
              `--health ${host}:${port}: another program listens there; stop it or choose another port`,
            )
          : new DoubletakeError('DT_HEALTH_LISTEN', `--health ${host}:${port}: ${error.message}`),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
