/** Whether `text` fits `pattern`, in which `*` is anything; in linear time, since each piece is taken where it is found first. */
export function fitsWildcard(text: string, pattern: string): boolean {
  const [first = '', ...pieces] = pattern.split('*');
  if (pieces.length === 0) return text === pattern;
  const last = pieces.pop() ?? '';
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
