/**
 * IP addresses and networks as four words each, IPv4 as IPv4-mapped IPv6 (as in `Segment`), so that one comparison
 * serves both families. An IPv4 prefix of n bits is one of 96 + n.
 */

const WORDS = 4;
const MAPPED_BITS = 96;

/** Reads an IPv4 or IPv6 address into four words; false, with `out` in any state, when `text` is not one. */
export function parseAddress(text: string, out: Int32Array): boolean {
  return text.includes(':') ? parseIpv6(text, out) : parseIpv4(text, out);
}

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

function parseIpv4(text: string, out: Int32Array): boolean {
  const word = ipv4Word(text);
  if (word === null) return false;
  out[0] = 0;
  out[1] = 0;
  out[2] = 0xffff;
  out[3] = word;
  return true;
}

/** Dotted decimal without leading zeros, which some read as octal. */
function ipv4Word(text: string): number | null {
  if (text.length > 15) return null;
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let word = 0;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    word = (word << 8) | Number(part);
  }
  return word;
}

/** The forms of RFC 4291 section 2.2, without a zone. */
function parseIpv6(text: string, out: Int32Array): boolean {
  if (text.length > 45) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === null || tail === null) return false;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return false;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  for (let word = 0; word < WORDS; word++) out[word] = (groups[2 * word] << 16) | groups[2 * word + 1];
  return true;
}

/** Groups of 16 bits; the last may be an IPv4 address when the text is the end of the whole. Null when malformed. */
function groupsOf(text: string, atEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = atEnd && index === parts.length - 1 ? ipv4Word(part) : null;
    if (word === null) return null;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}
