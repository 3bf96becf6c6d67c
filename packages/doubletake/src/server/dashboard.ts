/**
 * The dashboard's server: the page, the HTTP API behind it and its live events, for who may see them. Hostile clients are
 * refused before anything looks at what they ask; what they can make it hold is bounded, and so is how long.
 */
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { DashboardConfig } from '../config/dashboard-schema.ts';
import { DoubletakeError } from '../errors.ts';
import { hostPortText } from '../host-port.ts';
import { addressOf, Gate } from './access/gate.ts';
import { isLoopback } from './access/known-hosts.ts';
import { configuredTokens, generateToken, Tokens } from './access/tokens.ts';
import type { DashboardBackend } from './api/backend.ts';
import type { ChangeLog } from './changes.ts';
import { type ClientLimits, clientLimits } from './client-limits.ts';
import { EventStreams } from './event-streams.ts';
import { Observer } from './observer.ts';
import { PageFiles } from './page-files.ts';
import { PreparedAnswers } from './prepared.ts';
import { Refusal, statusOf } from './refusal.ts';
import { RefusalLog } from './refusal-log.ts';
import { registerRoutes } from './register-routes.ts';
import { clusterRoutes } from './routes/clusters.ts';
import { controlRoutes } from './routes/control.ts';
import { liveRoutes } from './routes/live.ts';
import { openApiRoute } from './routes/openapi.ts';
import { requestRoutes } from './routes/requests.ts';
import type { Services } from './routes/route.ts';
import { ruleRoutes } from './routes/rules.ts';
import { sessionRoutes } from './routes/session.ts';
import { securityHeaders } from './security-headers.ts';
import { openWebServer, refuseBrokenRequest } from './web-server.ts';

/** How often pages get news. */
const newsEveryMs = 1_000;

export interface DashboardOptions {
  config: DashboardConfig;
  changes: ChangeLog;
  /** For who looks after the mirror: refusals, what went wrong inside. Nothing secret. */
  warning: (text: string) => void;
  /** Metrics for Prometheus; null where there are none. */
  metrics: Services['metrics'];
  /** Others than usual, where a test needs them. */
  limits?: Partial<ClientLimits>;
  newsEveryMs?: number;
  page?: PageFiles;
}

export interface DashboardServer {
  host: string;
  port: number;
  /** `http://127.0.0.1:9090/` */
  address: string;
  /** The operator's token, when it was made now: to be told once. */
  token: string | null;
  close(): Promise<void>;
}

/** Serves `backend`. Rejects with a `DoubletakeError` when the address, the certificate or a token cannot be had. */
export async function startDashboard(options: DashboardOptions, backend: DashboardBackend): Promise<DashboardServer> {
  const { config, changes, warning } = options;
  const { listen, tls } = config;
  const access = accessOf(config);
  const gate = new Gate({ tokens: access.tokens, listen: listen.host, hosts: config.hosts, secure: tls !== undefined });
  const streams = new EventStreams();
  const observer = new Observer(
    backend,
    options.newsEveryMs ?? newsEveryMs,
    (event, data) => streams.send(event, data),
    onceEach((error) => warning(`dashboard: ${error.stack ?? error.message}`)),
  );
  const unfollow = changes.follow((change) => streams.send('change', () => change));
  const services: Services = { backend, observer, changes, gate, prepared: new PreparedAnswers(), metrics: options.metrics };
  const routes = [
    ...sessionRoutes(services),
    ...liveRoutes(services),
    ...clusterRoutes(services),
    ...requestRoutes(services),
    ...ruleRoutes(services),
    ...controlRoutes(services),
  ];
  let app: FastifyInstance | null = null;
  const close = async (): Promise<void> => {
    unfollow();
    observer.close();
    streams.close();
    await app?.close();
  };
  try {
    app = openApp({ ...clientLimits, ...options.limits }, tls, warning);
    guard(app, gate);
    answerErrors(app, new RefusalLog(warning), warning);
    registerRoutes(app, [...routes, openApiRoute(routes)], gate, streams);
    const page = options.page ?? new PageFiles();
    servePage(app, page);
    await app.listen({ host: listen.host, port: listen.port });
    if (tls === undefined && !isLoopback(listen.host)) {
      warning('the dashboard is served without TLS: tokens, and what it shows, pass the network as they are (dashboard.tls)');
    }
    if (page.empty) warning('the dashboard\'s page is not built, its API is there: npm run build:page');
  } catch (error) {
    await close();
    throw error instanceof DoubletakeError ? error : listenError(listen, error);
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port;
  const scheme = tls === undefined ? 'http' : 'https';
  return { host: listen.host, port, address: `${scheme}://${hostPortText({ host: listen.host, port })}/`, token: access.made, close };
}

/** Tells an error only when it is another than the last: what fails each second would fill the log. */
function onceEach(tell: (error: Error) => void): (error: Error) => void {
  let last = '';
  return (error) => {
    if (error.message !== last) tell(error);
    last = error.message;
  };
}

/** Who listens for others asks for a token, and makes one where none is configured. */
function accessOf(config: DashboardConfig): { tokens: Tokens | null; made: string | null } {
  const { operator, reader } = configuredTokens(config);
  if (operator === null && reader === null && isLoopback(config.listen.host)) return { tokens: null, made: null };
  const made = operator === null ? generateToken() : null;
  return { tokens: new Tokens({ operator: operator ?? made, reader }), made };
}

function openApp(limits: ClientLimits, tls: DashboardConfig['tls'], warning: (text: string) => void): FastifyInstance {
  const app = fastify({
    serverFactory: (handler) => openWebServer(handler, limits, tls, warning),
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      void reply.code(400).headers(securityHeaders).send({ error: 'this path cannot be read', code: 'DT_BAD_REQUEST' });
    },
    bodyLimit: limits.bodyBytesMax,
    forceCloseConnections: true,
    logger: false,
    routerOptions: { maxParamLength: 1_000 },
  });
  // JSON alone: a page of another site can send anything else without asking first.
  app.removeContentTypeParser('text/plain');
  return app;
}

function guard(app: FastifyInstance, gate: Gate): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders);
    gate.checkHost(request.raw);
  });
}

/** What fails is answered with `{error, code}`, and nothing of how it failed inside. */
function answerErrors(app: FastifyInstance, refusals: RefusalLog, warning: (text: string) => void): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    void reply.header('cache-control', 'no-store');
    if (error instanceof DoubletakeError) {
      const status = statusOf(error);
      if (error instanceof Refusal) {
        if (error.retryAfterS !== null) void reply.header('retry-after', error.retryAfterS);
        if (error.suspicious) refusals.refused(addressOf(request.raw), error.message, performance.now());
      }
      return reply.code(status).send({ error: error.message, code: error.code });
    }
    const known = error.statusCode === undefined ? undefined : requestProblems[error.statusCode];
    if (known !== undefined) return reply.code(error.statusCode ?? 400).send(known);
    warning(`dashboard: ${error.stack ?? error.message}`);
    return reply.code(500).send({ error: 'this failed inside doubletake; its log says how', code: 'DT_INTERNAL' });
  });
}

/** What fastify finds wrong with a request, by status. */
const requestProblems: Readonly<Record<number, { error: string; code: string }>> = {
  400: { error: 'this request cannot be read: expected JSON', code: 'DT_BAD_REQUEST' },
  413: { error: 'the body of this request is too large', code: 'DT_TOO_LARGE' },
  414: { error: 'this path is too long', code: 'DT_TOO_LARGE' },
  415: { error: 'expected content-type: application/json', code: 'DT_UNSUPPORTED_TYPE' },
};

/** The page's files, and the page itself for its own addresses; the API has no other path than its routes. */
function servePage(app: FastifyInstance, page: PageFiles): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.raw.url?.split('?', 1)[0] ?? '/';
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const { headers } = request;
    const file = reads ? page.serve(path, headers['accept-encoding'] ?? '', headers['if-none-match'] ?? '') : null;
    if (file !== null) return file.body === null ? reply.code(304).headers(file.headers).send() : reply.headers(file.headers).send(file.body);
    if (reads && page.empty && page.isView(path)) {
      return reply.code(503).type('text/plain; charset=utf-8').send('The page is not built: run npm run build:page, and start again. The API is there: /api/openapi.json\n');
    }
    return reply.code(404).header('cache-control', 'no-store').send({ error: 'there is nothing here', code: 'DT_NOT_FOUND' });
  });
}

function listenError({ host, port }: DashboardConfig['listen'], error: unknown): DoubletakeError {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = `--dashboard ${hostPortText({ host, port })}`;
  return code === 'EADDRINUSE'
    ? new DoubletakeError('DT_DASHBOARD_PORT_IN_USE', `${where}: another program listens there; stop it or choose another port`)
    : new DoubletakeError('DT_DASHBOARD_LISTEN', `${where}: ${message}`, { cause: error });
}
