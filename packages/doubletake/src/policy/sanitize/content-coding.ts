/**
 * Content codings (RFC 9110 section 8.4): opens a body to be read and closes it again with the same codings. Output is
 * bounded, so a small body that would become a huge one is refused. All of it is synchronous: memory in, memory out.
 */
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';

interface Coding {
  open(bytes: Buffer, bytesMax: number): Buffer;
  close(bytes: Buffer): Buffer;
}

/** Test traffic need not be small. */
const QUICK = 4;

const gzip: Coding = {
  open: (bytes, bytesMax) => gunzipSync(bytes, { maxOutputLength: bytesMax }),
  close: (bytes) => gzipSync(bytes, { level: QUICK }),
};

const codings: Readonly<Record<string, Coding>> = {
  gzip,
  'x-gzip': gzip,
  deflate: {
    // Many senders mean deflate without the zlib wrapping that RFC 9110 asks for.
    open: (bytes, bytesMax) =>
      (bytes[0] & 0x0f) === 8 && ((bytes[0] << 8) | bytes[1]) % 31 === 0
        ? inflateSync(bytes, { maxOutputLength: bytesMax })
        : inflateRawSync(bytes, { maxOutputLength: bytesMax }),
    close: (bytes) => deflateSync(bytes, { level: QUICK }),
  },
  br: {
    open: (bytes, bytesMax) => brotliDecompressSync(bytes, { maxOutputLength: bytesMax }),
    close: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: QUICK } }),
  },
  zstd: {
    open: (bytes, bytesMax) => zstdDecompressSync(bytes, { maxOutputLength: bytesMax }),
    close: (bytes) => zstdCompressSync(bytes),
  },
};

/** The codings that Content-Encoding fields list, in the order in which they were applied; null: one is unknown. */
export function codingsOf(values: readonly string[]): string[] | null {
  const names = values
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  return names.length <= 3 && names.every((name) => Object.hasOwn(codings, name)) ? names : null;
}

/** The body without its codings; null when it is not what they say, or larger than `bytesMax`. */
export function openBody(bytes: Buffer, names: readonly string[], bytesMax: number): Buffer | null {
  const opened = tryToOpenBody(bytes, names, bytesMax);
  return typeof opened === 'string' ? null : opened;
}

/** The body without its codings, or why that cannot be had. */
export function tryToOpenBody(
  bytes: Buffer,
  names: readonly string[],
  bytesMax: number,
): Buffer | 'too_large' | 'undecodable' {
  try {
    return names.toReversed().reduce((body, name) => codings[name].open(body, bytesMax), bytes);
  } catch (error) {
    // zlib throws for every body that is not well-formed: that is the answer.
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'undecodable';
  }
}

export function closeBody(bytes: Buffer, names: readonly string[]): Buffer {
  return names.reduce((body, name) => codings[name].close(body), bytes);
}
