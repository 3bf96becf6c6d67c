/**
 * Control of a running mirror by hand: HTTP on a Unix socket (a named pipe on Windows) that only its own user may open,
 * and `doubletake control` as its client. Nothing here is reachable from the network.
 *
 *     GET  /status                          what the ledger says now
 *     POST /kill, /resume                   the kill switch
 *     POST /percentage  {target, percentage}  null gives the target back to its ramp or configuration
 *
 * Answers are JSON: 200, or 400, 404, 405 and 413 with `{"error": …}`.
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { dirname } from 'node:path';
import { connect } from 'node:net';
import { z } from 'zod';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { haltText, resumeText, shareText } from './change-text.ts';

/** What can be asked of a mirror. Each resolves when it holds in every worker. */
export interface Controls {
  report(): LedgerReport;
  halt(): Promise<void>;
  resume(): Promise<void>;
  /** Rejects with a `DoubletakeError` for a target that there is not. */
  setPercentage(target: string, percentage: number | null): Promise<void>;
  /** Who did what, for the log. */
  changed(text: string): void;
}

export interface ControlServer {
  close(): Promise<void>;
}

const bodyBytesMax = 4_096;

const percentageRequest = z.strictObject({ target: z.string(), percentage: z.number().min(0).max(100).nullable() });

/** Listens at `path`; a socket that a mirror left behind which is no more is replaced. */
export async function startControlServer(path: string, controls: Controls): Promise<ControlServer> {
  await removeStale(path);
  const server = createServer((request, response) => {
    handle(request, controls).then(
      ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`),
      (error: unknown) => {
        const known = error instanceof DoubletakeError;
        response.writeHead(known ? 400 : 500, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify({ error: known ? error.message : 'this failed inside doubletake' })}\n`);
        if (!known) controls.changed(`control: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 16;
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  status: number;
  body: object;
}

async function handle(request: IncomingMessage, controls: Controls): Promise<Answer> {
  const path = request.url ?? '';
  if (path === '/status') {
    if (request.method !== 'GET') return { status: 405, body: { error: 'only GET' } };
    return { status: 200, body: controls.report() };
  }
  if (!['/kill', '/resume', '/percentage'].includes(path)) return { status: 404, body: { error: `there is no ${path} here` } };
  if (request.method !== 'POST') return { status: 405, body: { error: 'only POST' } };
  const startMs = performance.now();
  switch (path) {
    case '/kill':
      await controls.halt();
      controls.changed(haltText);
      break;
    case '/resume':
      await controls.resume();
      controls.changed(resumeText);
      break;
    default: {
      const text = await bodyOf(request);
      if (text === null) return { status: 413, body: { error: `more than ${bodyBytesMax} bytes` } };
      const asked = percentageRequest.safeParse(parsed(text));
      if (!asked.success) return { status: 400, body: { error: 'expected {"target": NAME, "percentage": 0 to 100 or null}' } };
      const { target, percentage } = asked.data;
      await controls.setPercentage(target, percentage);
      controls.changed(shareText(target, percentage));
    }
  }
  return { status: 200, body: { done: true, tookMs: Math.round((performance.now() - startMs) * 10) / 10, replay: controls.report().replay } };
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A socket file outlives a process that was killed. Whatever else stands at `path` is left alone. */
async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isSocket()) return;
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
  if (!answered) unlinkSync(path);
}

function listenProblem(path: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'something is there already; is a mirror running with it?';
  // A missing folder is told as a missing permission.
  return process.platform === 'win32' || existsSync(dirname(path)) ? message : `there is no folder ${dirname(path)}`;
}

async function listen(server: Server, path: string): Promise<void> {
  // Between listening and chmod nobody else may connect either.
  const before = process.platform === 'win32' ? 0 : process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new DoubletakeError('DT_CONTROL_LISTEN', `--control ${path}: ${listenProblem(path, error)}`));
      });
      server.listen(path, () => resolve());
    });
  } finally {
    if (process.platform !== 'win32') process.umask(before);
  }
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}
