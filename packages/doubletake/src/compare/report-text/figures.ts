/** Numbers as the reports write them. One that is not finite (`null` once it went through JSON) is shown as `∞`. */
import type { Estimate } from '../report.ts';

/** `14,212`. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `1 pair`, `14,212 pairs`. */
export function plural(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? '' : 's'}`;
}

/** A share from -1 to 1 as `0.12 %`, never rounded to a bound that it does not reach. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '∞';
  const value = Math.abs(share * 100);
  const sign = share < 0 ? '-' : '';
  if (value === 0) return '0 %';
  if (value < 0.001) return `${sign}<0.001 %`;
  if (value > 99.9 && value < 100) return `${sign}>99.9 %`;
  return `${sign}${Number(value.toPrecision(value < 10 ? 2 : 3))} %`;
}

/** A share with its interval: `1.2 % (0.8 % to 1.7 %)`. */
export function percentEstimate(estimate: Estimate): string {
  return `${percent(estimate.value)} (${intervalText(estimate, percent)})`;
}

/** An increase of a share: `+0.3 %`. */
export function increase(share: number): string {
  return `${share > 0 ? '+' : ''}${percent(share)}`;
}

export function increaseEstimate(estimate: Estimate): string {
  return `${increase(estimate.value)} (${intervalText(estimate, increase)})`;
}

/** `1.25×`. */
export function ratio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(value >= 10 ? 1 : 2)}×` : '∞';
}

export function ratioEstimate(estimate: Estimate): string {
  return `${ratio(estimate.value)} (${intervalText(estimate, ratio)})`;
}

/** `0.8 % to 1.7 %`. */
export function intervalText({ low, high }: Estimate, format: (value: number) => string): string {
  return `${format(low)} to ${format(high)}`;
}

/** `4.2 ms`, `12.3 s`; a dash where there is none. */
export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  if (value >= 9_999.5) return `${(value / 1_000).toFixed(1)} s`;
  return `${Number(value.toPrecision(value < 100 ? 2 : 3)).toLocaleString('en')} ms`;
}

/** Three significant digits, without a unit. */
export function plain(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '∞';
}

/** An ISO time to the second, in UTC: `2026-11-21 16:30:05`. */
export function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}
