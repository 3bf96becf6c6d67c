/**
 * Decodes the chunked transfer coding (RFC 9112 section 7.1) as it arrives, handing out views of the data. Strict: CRLF
 * only, hexadecimal sizes without blanks, bounded extensions and trailers. It never copies and never looks behind the
 * end of the message.
 */
export interface ChunkSink {
  /** Decoded data, valid during the call. */
  bodyData(bytes: Buffer, start: number, end: number): void;
}

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const SPACE = 32;
const TAB = 9;

/** Sizes up to 2^48. */
const SIZE_DIGITS_MAX = 12;
const EXTENSION_BYTES_MAX = 4096;
const TRAILER_BYTES_MAX = 256 * 1024;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_START = 6;
const TRAILER = 7;
const TRAILER_LF = 8;
const END_LF = 9;

export class ChunkedDecoder {
  /** What is wrong, once `push` returned -2. */
  error = '';
  #state = SIZE;
  #remaining = 0;
  #digits = 0;
  #lineBytes = 0;

  reset(): void {
    this.#beginSize();
  }

  /**
   * Takes `bytes[start..end)`. Returns the offset behind the message when it ended, -1 when more is needed, -2 when the
   * framing is broken.
   */
  push(bytes: Buffer, start: number, end: number, sink: ChunkSink): number {
    let at = start;
    while (at < end) {
      if (this.#state === DATA) {
        const take = Math.min(this.#remaining, end - at);
        sink.bodyData(bytes, at, at + take);
        at += take;
        this.#remaining -= take;
        if (this.#remaining === 0) this.#state = DATA_CR;
        continue;
      }
      const byte = bytes[at++];
      if (this.#state === END_LF) return byte === LF ? at : this.#fail('malformed chunk trailer');
      const problem = this.#step(byte);
      if (problem !== null) return this.#fail(problem);
    }
    return -1;
  }

  /** One byte of framing; null, or what is wrong. */
  #step(byte: number): string | null {
    switch (this.#state) {
      case SIZE:
        return this.#size(byte);
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_LF;
        else if (byte === LF || byte === 0) return 'malformed chunk extension';
        else if (++this.#lineBytes > EXTENSION_BYTES_MAX) return 'chunk extension too long';
        return null;
      case SIZE_LF:
        if (byte !== LF) return 'malformed chunk size';
        this.#state = this.#remaining === 0 ? TRAILER_START : DATA;
        this.#lineBytes = 0;
        return null;
      case DATA_CR:
        if (byte !== CR) return 'chunk longer than its size';
        this.#state = DATA_LF;
        return null;
      case DATA_LF:
        if (byte !== LF) return 'chunk longer than its size';
        this.#beginSize();
        return null;
      case TRAILER_START:
        this.#state = byte === CR ? END_LF : TRAILER;
        return byte === CR ? null : this.#trailer(byte);
      case TRAILER:
        return this.#trailer(byte);
      default:
        if (byte !== LF) return 'malformed chunk trailer';
        this.#state = TRAILER_START;
        return null;
    }
  }

  #size(byte: number): string | null {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > SIZE_DIGITS_MAX) return 'chunk size too large';
      this.#remaining = this.#remaining * 16 + digit;
      return null;
    }
    if (this.#digits === 0) return 'malformed chunk size';
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON || byte === SPACE || byte === TAB) this.#state = EXTENSION;
    else return 'malformed chunk size';
    return null;
  }

  #trailer(byte: number): string | null {
    if (byte === CR) this.#state = TRAILER_LF;
    else if (byte === LF || byte === 0) return 'malformed chunk trailer';
    else if (++this.#lineBytes > TRAILER_BYTES_MAX) return 'chunk trailer too long';
    return null;
  }

  #beginSize(): void {
    this.#state = SIZE;
    this.#remaining = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
  }

  #fail(problem: string): number {
    this.error = problem;
    return -2;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
