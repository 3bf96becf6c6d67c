/** A replayed request taken apart again: the bytes of `Pair.request`, which may be cut off at a bound. */

export interface RequestParts {
  /** `HTTP/1.1`, or as it came. */
  version: string;
  /** As they were sent, latin1. */
  headers: (readonly [name: string, value: string])[];
  /** Without transfer coding, its content coding still on; as much of it as is there. */
  body: Buffer;
}

const headersMax = 1_000;

/** Never throws: what is no request has no headers and no body. */
export function readRequest(request: Buffer): RequestParts {
  const found = request.indexOf('\r\n\r\n', 0, 'latin1');
  const headEnd = found < 0 ? request.length : found;
  const lines = request.toString('latin1', 0, headEnd).split('\r\n', headersMax + 1);
  const version = (lines[0] ?? '').split(' ')[2] ?? 'HTTP/1.1';
  const headers: [string, string][] = [];
  let chunked = false;
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    headers.push([name, value]);
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding' && /chunked\s*$/i.test(value)) chunked = true;
  }
  const content = found < 0 ? Buffer.alloc(0) : request.subarray(found + 4);
  return { version, headers, body: chunked ? withoutChunks(content) : content };
}

/** First header of a name, which is lower case; null when there is none. */
export function headerOf(headers: RequestParts['headers'], name: string): string | null {
  return headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? null;
}

/** RFC 9112 section 7.1; stops at what is no chunk. */
function withoutChunks(wire: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = wire.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) break;
    const size = Number.parseInt(wire.toString('latin1', at, Math.min(lineEnd, at + 16)), 16);
    if (!(size > 0)) break;
    chunks.push(wire.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}
