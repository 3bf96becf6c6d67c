/**
 * What came from traffic must not steer what shows it: control characters, invisible format characters (which can turn
 * the direction of text), line separators, half surrogate pairs and noncharacters are spelt out: `\x1b`, `\u{202e}`.
 */

const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/gu;
const unsafeInLine = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/gu;

/** For one line: a line end is spelt out too. */
export function visible(text: string): string {
  return text.replace(unsafe, spelt);
}

/** For text of several lines, which keeps its line ends and tabs. */
export function visibleLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unsafeInLine, spelt);
}

function spelt(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).padStart(2, '0');
  return hex.length === 2 ? `\\x${hex}` : `\\u{${hex}}`;
}
