/** How standard output is written to: as wide as its terminal, and in colour where that is wanted. */

/** Colours on a terminal, unless NO_COLOR (https://no-color.org) is set. */
export function hasColor(): boolean {
  return process.stdout.isTTY && !process.env['NO_COLOR'];
}

/** For a report, which is no wider than `widthMax`. */
export function terminalOptions(widthMax = Infinity): { width: number; color: boolean } {
  return { width: Math.min(process.stdout.columns ?? 100, widthMax), color: hasColor() };
}
