/** Figures as they stand in the reasons that people read. */

/** `500 ms`, `2.5 s`, `10 min`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${rounded(ms)} ms`;
  return ms < 120_000 ? `${rounded(ms / 1000)} s` : `${rounded(ms / 60_000)} min`;
}

/** `37 %` for 0.37. */
export function shareText(share: number): string {
  return `${rounded(share * 100)} %`;
}

/** Three digits, without needless zeros; whole numbers whole. */
function rounded(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
