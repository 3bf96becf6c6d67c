/**
 * IP addresses and networks as four words each, IPv4 as IPv4-mapped IPv6 (as in `Segment`), so that one comparison
 * serves both families. An IPv4 prefix of n bits is one of 96 + n.
 */
import { parseAddress } from '../packets/address.ts';

const WORDS = 4;
const MAPPED_BITS = 96;

/** Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3); an address alone is a network of one. */
export class Networks {
  /** Per network: address words, mask words. */
  readonly #words: Int32Array;

  /** Throws a `TypeError` when one of the texts is not a network. Bits behind the prefix are ignored. */
  constructor(texts: readonly string[]) {
    this.#words = new Int32Array(texts.length * 2 * WORDS);
    texts.forEach((text, index) => this.#add(text, index * 2 * WORDS));
  }

  /** Whether one of the networks holds the address. */
  contains(address: Int32Array): boolean {
    const words = this.#words;
    for (let at = 0; at < words.length; at += 2 * WORDS) {
      let word = 0;
      while (word < WORDS && (address[word] & words[at + WORDS + word]) === words[at + word]) word++;
      if (word === WORDS) return true;
    }
    return false;
  }

  #add(text: string, at: number): void {
    const slash = text.indexOf('/');
    const name = slash < 0 ? text : text.slice(0, slash);
    const address = new Int32Array(WORDS);
    const bitsMax = name.includes(':') ? 128 : 32;
    const digits = slash < 0 ? String(bitsMax) : text.slice(slash + 1);
    if (!parseAddress(name, address) || !/^\d{1,3}$/.test(digits) || Number(digits) > bitsMax) {
      throw new TypeError(`${text} is not a network such as 10.0.0.0/8 or 2001:db8::/32`);
    }
    const bits = Number(digits) + (bitsMax === 32 ? MAPPED_BITS : 0);
    for (let word = 0; word < WORDS; word++) {
      const bitsHere = Math.min(32, Math.max(0, bits - 32 * word));
      // A shift by 32 would be one by 0.
      const mask = bitsHere === 0 ? 0 : -1 << (32 - bitsHere);
      this.#words[at + word] = address[word] & mask;
      this.#words[at + WORDS + word] = mask;
    }
  }
}
