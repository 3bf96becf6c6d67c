/**
 * Reads HAR files, as browsers and proxies write them. A HAR holds no bytes but what they meant, so the messages are
 * written anew as HTTP/1.1: bodies without transfer and content codings, with a Content-Length that is true.
 */
import { serverOfUrl } from '../../host-port.ts';
import { EntryReader } from './entry-reader.ts';
import { bodyBytesMax } from './exchange-parser.ts';
import { entrySchema, type HarEntry, isPseudo } from './har-format.ts';
import { HarSplitter } from './har-splitter.ts';
import { TrafficFileError } from './traffic-file-error.ts';
import { connectionOf } from './traffic.ts';
import type { TimedBytes } from '../exchange-feed.ts';

type Field = HarEntry['request']['headers'][number];

/** Base64 and escapes make a body longer. */
const entryBytesMax = 3 * bodyBytesMax;

export class HarReader extends EntryReader {
  readonly #splitter = new HarSplitter(entryBytesMax);
  readonly #indexes = new Map<string, number>();
  #entries = 0;

  protected override read(block: Buffer): void {
    this.#splitter.push(block, (bytes, offset) => this.#entry(bytes, `byte ${offset}`));
  }

  protected override end(): void {
    if (!this.#splitter.found) {
      throw new TrafficFileError('DT_TRAFFIC_NOT_RECOGNISED', this.stream.path, 'is JSON, but no HAR: it has no log.entries');
    }
    const cut = this.stream.warning ?? (this.#splitter.whole ? null : 'ends inside the log');
    if (cut !== null) this.problem(`byte ${this.stream.done}`, cut);
  }

  #entry(bytes: Buffer | null, place: string): void {
    if (bytes === null) return this.problem(place, `entry is longer than ${entryBytesMax} bytes`);
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString('utf8'));
    } catch (error) {
      return this.problem(place, `entry is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    const entry = entrySchema.safeParse(value);
    if (!entry.success) {
      const [issue] = entry.error.issues;
      return this.problem(place, `entry: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is no entry'}`);
    }
    return this.#exchange(entry.data, place);
  }

  #exchange(entry: HarEntry, place: string): void {
    const { _startedUs: exactUs, startedDateTime } = entry;
    const startUs = exactUs ?? Date.parse(startedDateTime) * 1_000;
    if (!Number.isFinite(startUs)) return this.problem(place, 'entry: startedDateTime is no time');
    const problem = unsafeText(entry);
    if (problem !== null) return this.problem(place, `entry: ${problem}`);
    const { request, response, connection = '', serverIPAddress, timings, time } = entry;
    const key = `${this.stream.path}#${connection === '' ? `${this.#entries++}` : `c${connection}`}`;
    const index = connection === '' ? 0 : (this.#indexes.get(key) ?? 0);
    if (connection !== '') this.#indexes.set(key, index + 1);
    const { sentUs, answeredUs, endUs } = momentsOf(startUs, timings, time);
    const url = new URL(request.url);
    const server = serverIPAddress === undefined ? undefined : { address: serverIPAddress.replace(/^\[|\]$/g, ''), port: serverOfUrl(url).port };
    const found = this.parser.parse(
      connectionOf(key, undefined, server),
      index,
      { pieces: requestPieces(request, url), missing: 0, startUs, endUs: sentUs },
      response === undefined || response.status === 0 ? null : responseBytes(request.method, response, answeredUs, endUs),
    );
    if (typeof found === 'string') this.problem(place, `entry ${found}`);
    else this.items.push(found);
  }
}

/** Line breaks in what will stand in a head would make another message of it. */
function unsafeText({ request, response }: HarEntry): string | null {
  const texts = [...request.headers, ...(response?.headers ?? [])].flatMap(({ name, value }) => [name, value]);
  return [...texts, response?.statusText ?? ''].some((text) => /[\r\n\0]/.test(text)) ? 'a header holds a line break' : null;
}

function momentsOf(startUs: number, timings: HarEntry['timings'], time = 0): { sentUs: number; answeredUs: number; endUs: number } {
  const us = (ms: number | undefined): number => Math.round(Math.max(0, ms ?? 0) * 1_000);
  const sentUs = startUs + us(timings?.send);
  const receiveUs = us(timings?.receive);
  // What came before the request was sent (name lookup, connecting) is a part of the whole time as well.
  const endUs = Math.max(sentUs + us(timings?.wait) + receiveUs, startUs + us(time));
  return { sentUs, answeredUs: endUs - receiveUs, endUs };
}

function requestPieces({ method, headers, url: text, postData }: HarEntry['request'], url: URL): Buffer[] {
  const body = postData === undefined ? Buffer.alloc(0) : bodyOf(postData);
  const fields = framed(headers.filter(({ name }) => !isPseudo(name)), body.length);
  const lines = [`${method} ${targetIn(text) ?? `${url.pathname}${url.search}`} HTTP/1.1`];
  if (!fields.some(({ name }) => name.toLowerCase() === 'host')) lines.push(`Host: ${url.host}`);
  lines.push(...fields.map(({ name, value }) => `${name}: ${value}`));
  return [headBytes(lines), body];
}

/** Path and query as they were written, where they can stand in a request line. */
function targetIn(url: string): string | null {
  const target = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? '';
  if (!/^[!-~]*$/.test(target)) return null;
  return target.startsWith('/') ? target : `/${target}`;
}

/** Headers that frame a body of this length by its length, where the first framing header stood. */
function framed(headers: readonly Field[], length: number): Field[] {
  let said = false;
  const fields = headers.flatMap((field) => {
    if (!isFraming(field.name)) return [field];
    if (said) return [];
    said = true;
    return [{ name: field.name.toLowerCase() === 'content-length' ? field.name : 'Content-Length', value: String(length) }];
  });
  return said || length === 0 ? fields : [...fields, { name: 'Content-Length', value: String(length) }];
}

/** Binary as base64, fields of a form as they are sent, text as it is. */
function bodyOf({ text, params, _encoding }: NonNullable<HarEntry['request']['postData']>): Buffer {
  if (text !== undefined) return Buffer.from(text, _encoding === 'base64' ? 'base64' : 'utf8');
  return Buffer.from(formText(params ?? []));
}

function formText(params: readonly { name: string; value?: string | undefined }[]): string {
  const form = new URLSearchParams();
  for (const { name, value } of params) form.append(name, value ?? '');
  return form.toString();
}

function responseBytes(method: string, response: NonNullable<HarEntry['response']>, startUs: number, endUs: number): TimedBytes {
  const { status, statusText, headers, content } = response;
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  const body = bodiless || content.text === undefined ? Buffer.alloc(0) : Buffer.from(content.text, content.encoding === 'base64' ? 'base64' : 'utf8');
  const missing = !bodiless && content.text === undefined ? Math.max(0, Math.floor(content.size ?? 0)) : 0;
  const meant = headers.filter(({ name }) => !isPseudo(name) && !isCoding(name));
  const fields = bodiless ? meant : framed(meant, body.length + missing);
  if (!bodiless && !fields.some(({ name }) => isFraming(name))) fields.push({ name: 'Content-Length', value: '0' });
  const lines = [`HTTP/1.1 ${String(Math.floor(status)).padStart(3, '0')} ${statusText}`, ...fields.map(({ name, value }) => `${name}: ${value}`)];
  return { pieces: [headBytes(lines), body], missing, startUs, endUs };
}

/** Text of a HAR is Unicode; bytes of a head beyond ASCII stand in it as latin1 or, from browsers, as what UTF-8 meant. */
function headBytes(lines: readonly string[]): Buffer {
  const text = `${lines.join('\r\n')}\r\n\r\n`;
  // oxlint-disable-next-line no-control-regex -- what a byte can be
  return Buffer.from(text, /^[\u0000-\u00ff]*$/.test(text) ? 'latin1' : 'utf8');
}

function isFraming(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'content-length' || lower === 'transfer-encoding';
}

function isCoding(name: string): boolean {
  return name.toLowerCase() === 'content-encoding';
}
