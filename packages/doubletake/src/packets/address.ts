/** Addresses as words (see `Segment`) to text and back. Not for the hot path. */

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
  const address = formatAddress(words, offset);
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
