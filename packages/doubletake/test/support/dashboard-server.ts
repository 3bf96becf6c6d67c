/** A dashboard's server in this process, stopped when the test ends; and what asks it. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { type DashboardConfig, dashboardSchema } from '../../src/config/dashboard-schema.ts';
import { ChangeLog } from '../../src/server/changes.ts';
import { type DashboardOptions, type DashboardServer, startDashboard } from '../../src/server/dashboard.ts';
import { PageFiles } from '../../src/server/page-files.ts';
import { type PlainBackend, plainBackend } from './dashboard-backend.ts';

export interface TestedDashboard extends DashboardServer {
  backend: PlainBackend;
  changes: ChangeLog;
  /** `HOST:PORT` */
  at: string;
  /** What was logged. */
  log: string[];
  ask: (path: string, options?: AskOptions) => Promise<Answer>;
}

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Undefined where the text is no JSON. */
  json: unknown;
}

export async function startTested(
  config: Partial<Record<keyof DashboardConfig, unknown>> = {},
  { backend = plainBackend(), ...options }: Partial<DashboardOptions> & { backend?: PlainBackend } = {},
): Promise<TestedDashboard> {
  const log: string[] = [];
  const changes = new ChangeLog((text) => log.push(text));
  const server = await startDashboard(
    {
      config: dashboardSchema.parse({ listen: '127.0.0.1:0', ...config }),
      changes,
      warning: (text) => log.push(text),
      metrics: null,
      page: new PageFiles('/nowhere'),
      newsEveryMs: 20,
      ...options,
    },
    backend,
  );
  onTestFinished(() => server.close());
  const at = `127.0.0.1:${server.port}`;
  return { ...server, backend, changes, at, log, ask: (path, asked) => ask(at, path, asked) };
}

/** One request with exactly these headers; nothing of `path` is put in order first, as fetch would. */
export function ask(at: string, path: string, { method = 'GET', headers = {}, json }: AskOptions = {}): Promise<Answer> {
  const [host, port] = at.split(':');
  const body = json === undefined ? undefined : JSON.stringify(json);
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, headers: { host: at, ...type, ...headers }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) }));
    });
    sent.on('error', reject).end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
