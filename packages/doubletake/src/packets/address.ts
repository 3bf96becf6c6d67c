/** Addresses as words (see `Segment`) to text and back. Not for the hot path. */
import { hostPortText } from '../host-port.ts';

const WORDS = 4;

/** Text of an address held as four words: dotted IPv4 for IPv4-mapped ones, RFC 5952 form for the rest. */
export function formatAddress(words: ArrayLike<number>, offset = 0): string {
  const [a, b, c, d] = [0, 1, 2, 3].map((index) => words[offset + index] >>> 0);
  if (a === 0 && b === 0 && c === 0xffff) {
    return `${d >>> 24}.${(d >>> 16) & 255}.${(d >>> 8) & 255}.${d & 255}`;
  }
  const groups = [a, b, c, d].flatMap((word) => [word >>> 16, word & 0xffff]);
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) [best, bestLength] = [start, length];
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(':');
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + bestLength).join(':')}`;
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatEndpoint(words: ArrayLike<number>, offset: number, port: number): string {
  return hostPortText({ host: formatAddress(words, offset), port });
}

/** Reads an IPv4 or IPv6 address into four words; false, with `out` in any state, when `text` is not one. */
export function parseAddress(text: string, out: Int32Array): boolean {
  return text.includes(':') ? parseIpv6(text, out) : parseIpv4(text, out);
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
