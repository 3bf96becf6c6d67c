/**
 * Pseudorandom numbers that depend on a key and a text alone: HMAC-SHA-256 (RFC 2104, FIPS 180-4) of the text, drawn from
 * byte by byte, continued by the HMAC of the block before.
 *
 * SHA-256 is written out here because a short text costs two compressions when the key's two are kept, a fraction of
 * what a call into the crypto library costs; nothing secret is compared with it. A test holds it against Node's Hmac.
 */

const BLOCK_BYTES = 64;
const BLOCK_WORDS = 16;
const DIGEST_BYTES = 32;
const DIGEST_WORDS = 8;
/** Texts up to this many bytes are hashed without a new buffer. */
const SHORT_BYTES = 1_024;
/** Leaves room for the padding in one block. */
const SHORT_LENGTH_MAX = BLOCK_BYTES - 9;

const INITIAL = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const CONSTANTS = makeConstants();
/** The message schedule: whoever compresses a block puts its words at the beginning. */
const schedule = new Int32Array(64);

export class KeyedStream {
  readonly #inner = Int32Array.from(INITIAL);
  readonly #outer = Int32Array.from(INITIAL);
  readonly #state = new Int32Array(DIGEST_WORDS);
  readonly #message = Buffer.alloc(SHORT_BYTES);
  /** Bytes of the state that were drawn. */
  #used = DIGEST_BYTES;

  constructor(key: Buffer) {
    const padded = Buffer.alloc(BLOCK_BYTES);
    if (key.length > BLOCK_BYTES) {
      const state = Int32Array.from(INITIAL);
      absorb(state, key, 0);
      bytesOfState(state).copy(padded);
    } else {
      key.copy(padded);
    }
    compressBytes(this.#inner, padded.map((byte) => byte ^ 0x36), 0);
    compressBytes(this.#outer, padded.map((byte) => byte ^ 0x5c), 0);
  }

  /** HMAC-SHA-256 of a text in UTF-8. */
  digest(text: string): Buffer {
    this.start(text);
    return bytesOfState(this.#state);
  }

  /** Begins the numbers of this text. */
  start(text: string): void {
    const state = this.#state;
    copyWords(this.#inner, state);
    if (scheduleShort(text)) {
      compress(state);
    } else {
      // Three bytes hold any UTF-16 unit.
      const short = text.length * 3 <= SHORT_BYTES;
      const bytes = short ? this.#message.subarray(0, this.#message.write(text, 0)) : Buffer.from(text);
      absorb(state, bytes, BLOCK_BYTES);
    }
    this.#finish();
  }

  /** The next number below `limit`, which is at most 256. */
  below(limit: number): number {
    if (this.#used === DIGEST_BYTES) this.#continue();
    const used = this.#used++;
    return ((this.#state[used >> 2] >>> (24 - 8 * (used & 3))) & 0xff) % limit;
  }

  /** The HMAC of the block that was drawn. */
  #continue(): void {
    scheduleDigest(this.#state);
    copyWords(this.#inner, this.#state);
    compress(this.#state);
    this.#finish();
  }

  /** The outer hash, of the inner one. */
  #finish(): void {
    scheduleDigest(this.#state);
    copyWords(this.#outer, this.#state);
    compress(this.#state);
    this.#used = 0;
  }
}

/** Puts a text into the schedule that is ASCII and fits one block, as most are, without a native call; false: it is another. */
function scheduleShort(text: string): boolean {
  const { length } = text;
  if (length > SHORT_LENGTH_MAX) return false;
  const w = schedule;
  let word = 0;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) return false;
    word = (word << 8) | code;
    if ((at & 3) === 3) w[at >> 2] = word;
  }
  const end = length >> 2;
  const free = 4 - (length & 3);
  w[end] = ((free === 4 ? 0 : word << (8 * free)) | (0x80 << (8 * (free - 1)))) | 0;
  for (let index = end + 1; index < BLOCK_WORDS - 1; index++) w[index] = 0;
  w[BLOCK_WORDS - 1] = (BLOCK_BYTES + length) * 8;
  return true;
}

/** Puts a digest that is hashed behind a key into the schedule: one block whose padding is always the same. */
function scheduleDigest(digest: Int32Array): void {
  const w = schedule;
  copyWords(digest, w);
  w[DIGEST_WORDS] = 0x8000_0000;
  for (let index = DIGEST_WORDS + 1; index < BLOCK_WORDS - 1; index++) w[index] = 0;
  w[BLOCK_WORDS - 1] = (BLOCK_BYTES + DIGEST_BYTES) * 8;
}

/** Of a digest or state. */
function copyWords(from: Int32Array, to: Int32Array): void {
  for (let index = 0; index < DIGEST_WORDS; index++) to[index] = from[index];
}

const last = Buffer.alloc(2 * BLOCK_BYTES);

/** The rest of a message of which `before` bytes are in the state, with the padding. */
function absorb(state: Int32Array, message: Buffer, before: number): void {
  const whole = message.length - (message.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compressBytes(state, message, at);
  const rest = message.length - whole;
  const end = rest < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  last.fill(0, 0, end);
  message.copy(last, 0, whole);
  last[rest] = 0x80;
  // Messages are far below 2^32 bits.
  last.writeUInt32BE((before + message.length) * 8, end - 4);
  for (let at = 0; at < end; at += BLOCK_BYTES) compressBytes(state, last, at);
}

function bytesOfState(state: Int32Array): Buffer {
  const bytes = Buffer.alloc(DIGEST_BYTES);
  for (const [index, word] of state.entries()) bytes.writeInt32BE(word, index * 4);
  return bytes;
}

function compressBytes(state: Int32Array, bytes: Uint8Array, start: number): void {
  for (let index = 0, at = start; index < BLOCK_WORDS; index++, at += 4) {
    schedule[index] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  compress(state);
}

/** FIPS 180-4 section 6.2.2, of the block whose words begin the schedule. */
function compress(state: Int32Array): void {
  const w = schedule;
  for (let index = BLOCK_WORDS; index < 64; index++) {
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
    // Ch and Maj with one operation less than they are written with in the standard.
    const first = (h + large1 + (g ^ (e & (f ^ g))) + CONSTANTS[index] + w[index]) | 0;
    const large0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (large0 + ((a & b) | (c & (a | b)))) | 0;
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
