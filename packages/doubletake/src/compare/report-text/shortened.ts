/** At most `lengthMax` UTF-16 units, with an ellipsis at the end where something is left out. */
export function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, Math.max(0, lengthMax - 1));
  // Half of a pair would show as a character that is not there.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
