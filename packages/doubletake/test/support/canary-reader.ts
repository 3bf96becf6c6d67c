/**
 * Everything that can be read out of bytes by somebody who tries: as they stand, without chunks, decompressed,
 * percent-decoded, unescaped, out of base64, and all of it inside each other. Written without the product's own readers.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

const DEPTH_MAX = 3;

const startLength = 8;

/** What stands in a request, one text beside the other, in the form that `normal` gives. */
export function readable(request: Buffer): string {
  const headEnd = request.indexOf('\r\n\r\n');
  const head = request.toString('latin1', 0, headEnd);
  const sent = request.subarray(headEnd + 4);
  const body = /^transfer-encoding: *chunked/im.test(head) ? withoutChunks(sent) : sent;
  const codings = /^content-encoding: *(.*)$/im.exec(head)?.[1]?.split(',') ?? [];
  const content = codings.reduceRight((bytes, coding) => decompressed(bytes, coding.trim()), body);
  const texts = new Set<string>([request.toString('utf8'), content.toString('utf8')]);
  let latest = [...texts];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    latest = latest.flatMap(decodings).filter((text) => !texts.has(text));
    for (const text of latest) texts.add(text);
  }
  return normal([...texts].join('\n'));
}

/** Without case, and without what may stand between digits. */
export function normal(text: string): string {
  return text.toLowerCase().replace(/[\s./()-]+/g, '');
}

/** Finds the first of many texts in another; those that are looked for have `startLength` characters at least. */
export class TextSearch {
  readonly #byStart = new Map<string, string[]>();

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const start = text.slice(0, startLength);
      const known = this.#byStart.get(start);
      if (known === undefined) this.#byStart.set(start, [text]);
      else known.push(text);
    }
  }

  firstIn(text: string): string | null {
    for (let at = 0; at + startLength <= text.length; at++) {
      const found = this.#byStart.get(text.slice(at, at + startLength))?.find((each) => text.startsWith(each, at));
      if (found !== undefined) return found;
    }
    return null;
  }
}

function decodings(text: string): string[] {
  const made = [
    text.replace(/(?:%[0-9a-f]{2})+/gi, (part) => Buffer.from(part.replaceAll('%', ''), 'hex').toString('utf8')),
    text.replace(/(?:\\|%)u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    text.replace(/\\(["\\/])/g, '$1'),
    text.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))),
    text.replaceAll('+', ' '),
    [...text.matchAll(/[\w+/-]{12,}/g)].map(([part]) => Buffer.from(part, 'base64').toString('utf8')).join(' '),
  ];
  return made.filter((other) => other !== text && other !== '');
}

function withoutChunks(bytes: Buffer): Buffer {
  const data: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size > 0)) break;
    data.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(data);
}

function decompressed(bytes: Buffer, coding: string): Buffer {
  switch (coding) {
    case 'gzip':
      return gunzipSync(bytes);
    case 'br':
      return brotliDecompressSync(bytes);
    case 'zstd':
      return zstdDecompressSync(bytes);
    case 'deflate':
      return (bytes[0] ?? 0) % 16 === 8 ? inflateSync(bytes) : inflateRawSync(bytes);
    default:
      return bytes;
  }
}
