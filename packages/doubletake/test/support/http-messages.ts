/**
 * Reads the public message collections (`DOUBLETAKE_MESSAGES`, default `../shared/messages` beside the project): the
 * Markdown of llhttp, whose fences hold a message and the events that Node's parser reports, and the conversations of
 * libhtp. They are not part of the repository; tests skip visibly without them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = resolve(fileURLToPath(import.meta.url), '../../../../..');
const ROOT = resolve(PROJECT, process.env['DOUBLETAKE_MESSAGES'] ?? '../shared/messages');

/** The folder of one collection, or null when it is not there. */
export function messagesFolder(name: string): string | null {
  const folder = join(ROOT, name);
  return existsSync(folder) ? folder : null;
}

export interface ReportedMessage {
  method: string;
  target: string;
  status: number;
  bodyBytes: number;
  complete: boolean;
}

export interface LlhttpCase {
  /** `request/sample.md: Simple request`. */
  name: string;
  type: string;
  /** The answer to a request that has none, such as HEAD. */
  skipBody: boolean;
  input: Buffer;
  /** Messages whose head Node's parser accepted. */
  messages: ReportedMessage[];
  /** Why Node's parser gave up, or null. */
  error: string | null;
}

const CASE = /<!--\s*meta=(\{.*?\})\s*-->\s*```http\n([\s\S]*?)```(?:(?!```http)[\s\S])*?```log\n([\s\S]*?)\n```/g;

export function readLlhttpCases(folder: string): LlhttpCase[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  return files.toSorted().flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return [...text.matchAll(CASE)].flatMap((match) => {
      const [, meta = '{}', source = '', log = ''] = match;
      const { type = '', skipBody = false } = parseMeta(meta);
      const heading = text.slice(0, match.index).match(/^#+ .*$/gm)?.at(-1) ?? '';
      const name = `${relative(folder, join(folder, file))}: ${heading.replace(/^#+ /, '')}`;
      if (!/^(request|response)/.test(type)) return [];
      const input = unescape(source);
      return [{ name, type, skipBody, input, ...readLog(log, input) }];
    });
  });
}

function parseMeta(text: string): { type?: string; skipBody?: boolean } {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? value : {};
}

/** As llhttp's own test runner reads a fence. */
function unescape(source: string): Buffer {
  const text = source
    .replace(/\n$/, '')
    .replace(/\\\n/g, '')
    .replace(/\n/g, '\r\n')
    .replace(/\\r/g, '\r')
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\f/g, '\f')
    .replace(/\\x([0-9a-fA-F]+)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'utf8');
}

function readLog(log: string, input: Buffer): { messages: ReportedMessage[]; error: string | null } {
  const messages: ReportedMessage[] = [];
  let error: string | null = null;
  let current: ReportedMessage = emptyMessage();
  const utf8 = (offset: number, length: number): string => input.toString('latin1', offset, offset + length);
  for (const line of log.split('\n')) {
    const span = /^off=(\d+) len=(\d+) span\[(\w+)\]/.exec(line);
    if (line.includes('message begin')) current = emptyMessage();
    else if (span?.[3] === 'method') current.method += utf8(Number(span[1]), Number(span[2]));
    else if (span?.[3] === 'url') current.target += utf8(Number(span[1]), Number(span[2]));
    else if (span?.[3] === 'body') current.bodyBytes += Number(span[2]);
    else if (line.includes('headers complete')) {
      current.status = Number(/status=(\d+)/.exec(line)?.[1] ?? 0);
      messages.push(current);
    } else if (line.includes('message complete')) current.complete = true;
    const failure = /error code=\d+ reason="(.*)"/.exec(line);
    if (failure !== null) error = failure[1] ?? '';
  }
  return { messages, error };
}

function emptyMessage(): ReportedMessage {
  return { method: '', target: '', status: 0, bodyBytes: 0, complete: false };
}

export interface LibhtpTurn {
  from: 'client' | 'server';
  bytes: Buffer;
}

/** A libhtp conversation: blocks behind `>>>` (client) and `<<<` (server); the line break before a marker is no data. */
export function readLibhtpCase(path: string): LibhtpTurn[] {
  const text = readFileSync(path, 'latin1');
  const marker = /^(>>>|<<<)\r?\n/gm;
  const found = [...text.matchAll(marker)];
  return found.map((match, index) => {
    const next = found[index + 1];
    const block = text.slice(match.index + match[0].length, next?.index);
    const bytes = next === undefined ? block : block.replace(/\r?\n$/, '');
    return { from: match[1] === '>>>' ? 'client' : 'server', bytes: Buffer.from(bytes, 'latin1') };
  });
}

export function libhtpFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^\d.*(\.t|missing)$/.test(name)).toSorted((a, b) => a.localeCompare(b));
}
