/** Reads IP addresses in text; strict, so that times, versions and MAC addresses are not taken for one. */

/** Length of the dotted quad at `start`, 0 when there is none. It ends where neither digit nor `.digit` follows. */
export function ipv4Length(text: string, start: number): number {
  let at = start;
  for (let octet = 0; octet < 4; octet++) {
    if (octet > 0 && text.charCodeAt(at++) !== 46) return 0;
    const from = at;
    let value = 0;
    while (at - from < 3 && isDigitAt(text, at)) value = value * 10 + text.charCodeAt(at++) - 48;
    if (at === from || value > 255) return 0;
  }
  if (isDigitAt(text, at) || (text.charCodeAt(at) === 46 && isDigitAt(text, at + 1))) return 0;
  return at - start;
}

/** RFC 4291 section 2.2, without zone; a dotted quad at the end is allowed. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || text.length < 3) return false;
  let groups = 0;
  for (const [position, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [index, part] of parts.entries()) {
      const last = position === halves.length - 1 && index === parts.length - 1;
      if (last && part.includes('.')) {
        if (ipv4Length(part, 0) !== part.length) return false;
        groups += 2;
      } else {
        if (!/^[0-9a-f]{1,4}$/i.test(part)) return false;
        groups++;
      }
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

export function isDigitAt(text: string, at: number): boolean {
  // Reading behind the end is right too, but ten times as slow.
  if (at >= text.length) return false;
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
