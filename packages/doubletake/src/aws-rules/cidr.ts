/** Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3) in one spelling, so that ours and AWS's can be compared. */
import { formatAddress, parseAddress } from '../packets/address.ts';

/** With the bits behind the prefix zero and in the shortest form, as AWS returns it; null for what is no network. */
export function canonicalCidr(text: string): string | null {
  const [name = '', digits, more] = text.split('/');
  const bitsMax = name.includes(':') ? 128 : 32;
  const words = new Int32Array(4);
  if (more !== undefined || !parseAddress(name, words)) return null;
  if (digits !== undefined && (!/^\d{1,3}$/.test(digits) || Number(digits) > bitsMax)) return null;
  const bits = digits === undefined ? bitsMax : Number(digits);
  // An IPv4 address stands in the last of the four words.
  const kept = bits + 128 - bitsMax;
  const network = words.map((word, index) => {
    const here = Math.min(32, Math.max(0, kept - 32 * index));
    return here === 0 ? 0 : word & (-1 << (32 - here));
  });
  return `${formatAddress(network)}/${bits}`;
}
