/**
 * Sampling without state: a salted hash of a key decides, so the same user is in or out on every machine, in every
 * thread and after every restart, and whoever is in at 1 % is in at 10 %.
 */

const POINTS = 2 ** 53;

/**
 * A point in [0, 1) for a key: two 32-bit multiply-and-rotate hashes (the mixing of MurmurHash3) of salt and key give
 * 53 bits, enough for shares far below 0.001 %.
 */
export function samplePoint(salt: string, key: string): number {
  // A unit that is in no header value keeps salt "a", key "bc" apart from salt "ab", key "c".
  const text = `${salt}\n${key}`;
  let high = 0x9747b28c | 0;
  let low = 0x3c6ef372;
  // `| 0` keeps the words small integers, which halves the time.
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = (Math.imul(rotate(high ^ Math.imul(unit, 0xcc9e2d51), 13), 5) + 0xe6546b64) | 0;
    low = (Math.imul(rotate(low ^ Math.imul(unit, 0x1b873593), 15), 9) + 0x38495ab5) | 0;
  }
  high = finish(high ^ key.length);
  low = finish(low ^ high);
  return ((high >>> 0) * 0x20_0000 + (low >>> 11)) / POINTS;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function finish(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
