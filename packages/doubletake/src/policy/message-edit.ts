/**
 * What it takes to make one message out of another: the content of a body, a body of other content in the same framing,
 * and a head out of its bytes. Strings are latin1, a character for a byte.
 */
import { createHash } from 'node:crypto';
import { ChunkedDecoder } from '../http/chunked.ts';
import type { Ambiguity, Body } from '../http/exchange.ts';
import { MessageHead } from '../http/head.ts';
import { HeadScan, HeadScanner } from '../http/head-scanner.ts';

/** Digests of a body say what is no longer true when it changed, and tell of what it was. */
const digestFields: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);

/** Whether a header or trailer field of this name must go when the body changed. */
export function isDigestField(lower: string): boolean {
  return digestFields.has(lower);
}

export interface Content {
  /** The body without its transfer coding. */
  bytes: Buffer;
  /** The lines of its trailer fields. */
  trailers: string;
}

const decoder = new ChunkedDecoder();
const scanner = new HeadScanner();

/** Null when the body was not kept, or has another transfer coding than chunked. */
export function contentOf(body: Body, head: MessageHead): Content | null {
  if (body.wire === null) return null;
  const wire = joined(body.wire);
  if (body.framing !== 'chunked') return { bytes: wire, trailers: '' };
  if (head.all('transfer-encoding').join(',').trim().toLowerCase() !== 'chunked') return null;
  const data: Buffer[] = [];
  let dataEnd = 0;
  decoder.reset();
  decoder.read(wire, 0, wire.length, {
    decoded: (bytes, start, end) => {
      data.push(bytes.subarray(start, end));
      dataEnd = end + 2;
    },
  });
  if (!decoder.done) return null;
  // Behind the data: the last chunk's line, the trailer fields, an empty line.
  const end = wire.toString('latin1', dataEnd);
  return { bytes: joined(data), trailers: end.slice(end.indexOf('\n') + 1).replace(/\r?\n$/, '') };
}

/** A body of this content, framed as `body` is: chunked content is one chunk, without the extensions it may have had. */
export function bodyOf(body: Body, { bytes, trailers }: Content): Body {
  const wire = body.framing === 'chunked' ? chunksOf(bytes, trailers) : [bytes];
  const sha256 = body.sha256 === null ? null : createHash('sha256').update(bytes).digest('hex');
  const wireBytes = wire.reduce((sum, piece) => sum + piece.length, 0);
  return { framing: body.framing, bytes: bytes.length, sha256, wire, wireBytes, tooLarge: false };
}

function chunksOf(content: Buffer, trailers: string): Buffer[] {
  const end = Buffer.from(`0\r\n${trailers}\r\n`, 'latin1');
  if (content.length === 0) return [end];
  return [Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n'), end];
}

/** The head that these bytes are, all of them, and what is ambiguous in it; null when they are none. */
export function headOf(kind: 'request' | 'response', bytes: Buffer): { head: MessageHead; ambiguity: Ambiguity | null } | null {
  const found = scanner.scan(kind, bytes, 0, bytes.length, true);
  if (found === HeadScan.incomplete && kind === 'request' && scanner.fieldsStart === bytes.length && scanner.versionless) {
    // An HTTP/0.9 request is its request line.
    scanner.alone();
  } else if (found !== HeadScan.complete || scanner.headEnd !== bytes.length) {
    return null;
  }
  return { head: new MessageHead(bytes, scanner, 0), ambiguity: scanner.ambiguity };
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}
