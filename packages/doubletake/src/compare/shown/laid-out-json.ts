/**
 * JSON text laid out with two spaces. Its values stay as they are written: no number changes, and what is no JSON is laid
 * out as far as it looks like it. Linear, and bounded in what it makes of deep nesting.
 */

/** Deeper levels are not moved any further to the right. */
const indentedDepthMax = 40;

/** A string (which may have no end), an empty array or object, a sign, or a run of anything else but white space. */
const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"?|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s"{}[\],:]+/g;

/** `cut` says that there was more than `charsMax` characters of it. */
export function laidOutJson(text: string, charsMax: number): { text: string; cut: boolean } {
  const pieces: string[] = [];
  let length = 0;
  let depth = 0;
  const put = (piece: string): void => {
    pieces.push(piece);
    length += piece.length;
  };
  const line = (): void => put(`\n${'  '.repeat(Math.min(depth, indentedDepthMax))}`);
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const [token] = found;
    if (length > charsMax) return { text: pieces.join('').slice(0, charsMax), cut: true };
    switch (token[0]) {
      case '{':
      case '[':
        if (token.length > 1) {
          put(token[0] === '{' ? '{}' : '[]');
          break;
        }
        put(token);
        depth++;
        line();
        break;
      case '}':
      case ']':
        depth = Math.max(0, depth - 1);
        line();
        put(token);
        break;
      case ',':
        put(token);
        line();
        break;
      case ':':
        put(': ');
        break;
      default:
        put(token);
    }
  }
  const all = pieces.join('');
  return all.length > charsMax ? { text: all.slice(0, charsMax), cut: true } : { text: all, cut: false };
}
