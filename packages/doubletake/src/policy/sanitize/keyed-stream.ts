/**
 * Pseudorandom numbers that depend on a key and a text alone: HMAC-SHA-256 (RFC 2104, FIPS 180-4) of the text, drawn from
 * byte by byte, continued by the HMAC of the block before.
 *
 * SHA-256 is written out here because a short text costs two compressions when the key's two are kept, a fraction of
 * what a call into the crypto library costs; nothing secret is compared with it. A test holds it against Node's Hmac.
 */

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Texts up to this many bytes are hashed without a new buffer. */
const SHORT_BYTES = 1_024;
/** Leaves room for the padding in one block. */
const SHORT_LENGTH_MAX = BLOCK_BYTES - 9;

const INITIAL = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const CONSTANTS = makeConstants();
const schedule = new Int32Array(64);

export class KeyedStream {
  readonly #inner = Int32Array.from(INITIAL);
  readonly #outer = Int32Array.from(INITIAL);
  readonly #state = new Int32Array(8);
  readonly #message = Buffer.alloc(SHORT_BYTES + 2 * BLOCK_BYTES);
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #used = DIGEST_BYTES;

  constructor(key: Buffer) {
    const padded = Buffer.alloc(BLOCK_BYTES);
    if (key.length > BLOCK_BYTES) {
      const state = Int32Array.from(INITIAL);
      absorb(state, key, 0);
      writeState(state, padded);
    } else {
      key.copy(padded);
    }
    compress(this.#inner, padded.map((byte) => byte ^ 0x36), 0);
    compress(this.#outer, padded.map((byte) => byte ^ 0x5c), 0);
  }

  /** HMAC-SHA-256 of a text in UTF-8. */
  digest(text: string): Buffer {
    this.start(text);
    return Buffer.from(this.#block.subarray(0, DIGEST_BYTES));
  }

  /** Begins the numbers of this text. */
  start(text: string): void {
    if (this.#startShort(text)) return;
    // Three bytes hold any UTF-16 unit.
    if (text.length * 3 > SHORT_BYTES) this.#mac(Buffer.from(text));
    else this.#mac(this.#message.subarray(0, this.#message.write(text, 0)));
  }

  /** The next number below `limit`, which is at most 256. */
  below(limit: number): number {
    if (this.#used === DIGEST_BYTES) this.#mac(Buffer.from(this.#block.subarray(0, DIGEST_BYTES)));
    return this.#block[this.#used++] % limit;
  }

  /** Most texts are ASCII and fit one block: they are put there without a native call. */
  #startShort(text: string): boolean {
    const { length } = text;
    if (length > SHORT_LENGTH_MAX) return false;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > 127) return false;
      last[at] = code;
    }
    last[length] = 0x80;
    for (let at = length + 1; at < BLOCK_BYTES - 2; at++) last[at] = 0;
    const bits = (BLOCK_BYTES + length) * 8;
    last[BLOCK_BYTES - 2] = bits >>> 8;
    last[BLOCK_BYTES - 1] = bits;
    copyState(this.#inner, this.#state);
    compress(this.#state, last, 0);
    this.#finish();
    return true;
  }

  #mac(message: Buffer): void {
    copyState(this.#inner, this.#state);
    absorb(this.#state, message, BLOCK_BYTES);
    this.#finish();
  }

  /** The outer hash, of the inner one: a single block whose padding never changes. */
  #finish(): void {
    const state = this.#state;
    writeState(state, outerBlock);
    copyState(this.#outer, state);
    compress(state, outerBlock, 0);
    writeState(state, this.#block);
    this.#used = 0;
  }
}

const last = Buffer.alloc(2 * BLOCK_BYTES);
const outerBlock = Buffer.alloc(BLOCK_BYTES);
outerBlock[DIGEST_BYTES] = 0x80;
outerBlock.writeUInt16BE((BLOCK_BYTES + DIGEST_BYTES) * 8, BLOCK_BYTES - 2);

function copyState(from: Int32Array, to: Int32Array): void {
  for (let index = 0; index < 8; index++) to[index] = from[index];
}

/** The rest of a message of which `before` bytes are in the state, with the padding. */
function absorb(state: Int32Array, message: Buffer, before: number): void {
  const whole = message.length - (message.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, message, at);
  const rest = message.length - whole;
  const end = rest < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  last.fill(0, 0, end);
  message.copy(last, 0, whole);
  last[rest] = 0x80;
  // Messages are far below 2^32 bits.
  last.writeUInt32BE((before + message.length) * 8, end - 4);
  for (let at = 0; at < end; at += BLOCK_BYTES) compress(state, last, at);
}

function writeState(state: Int32Array, out: Buffer): void {
  for (let index = 0, at = 0; index < 8; index++, at += 4) {
    const word = state[index];
    out[at] = word >>> 24;
    out[at + 1] = word >>> 16;
    out[at + 2] = word >>> 8;
    out[at + 3] = word;
  }
}

/** FIPS 180-4 section 6.2.2. */
function compress(state: Int32Array, bytes: Uint8Array, start: number): void {
  const w = schedule;
  for (let index = 0, at = start; index < 16; index++, at += 4) {
    w[index] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let index = 16; index < 64; index++) {
    const x = w[index - 15];
    const y = w[index - 2];
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[index] = (w[index - 16] + small0 + w[index - 7] + small1) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let index = 0; index < 64; index++) {
    const large1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + large1 + ((e & f) ^ (~e & g)) + CONSTANTS[index] + w[index]) | 0;
    const large0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function makeConstants(): Int32Array {
  const constants = new Int32Array(64);
  for (let count = 0, prime = 2; count < 64; prime++) {
    let divisor = 2;
    while (divisor * divisor <= prime && prime % divisor !== 0) divisor++;
    if (divisor * divisor > prime) constants[count++] = (Math.cbrt(prime) % 1) * 0x1_0000_0000;
  }
  return constants;
}
