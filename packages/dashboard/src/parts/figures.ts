/** Numbers as the page writes them: those of the reports, and what only something that runs needs. */
export { count, intervalText, milliseconds, percent, plural, ratio } from '../../../doubletake/src/compare/report-text/figures.ts';

const units = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** `812 bytes`, `14 KB`, `1.2 GB`; in thousands. */
export function bytes(value: number): string {
  const step = value < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1_000 ** step).toPrecision(3))} ${units[step]}`;
}

/** A number of things a second: `0.4`, `12`, `1,204`. */
export function rate(value: number): string {
  return (value < 10 ? Number(value.toPrecision(2)) : Math.round(value)).toLocaleString('en');
}

/** Large numbers in little room: `9,812`, `12.4k`, `3.1M`. */
export function short(value: number): string {
  if (value < 10_000) return value.toLocaleString('en');
  return value < 999_500 ? `${Number((value / 1_000).toPrecision(3))}k` : `${Number((value / 1_000_000).toPrecision(3))}M`;
}

/** How long something took or takes, in the largest unit that says it: `45 s`, `10 min`, `1.5 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${Number((ms / 1_000).toPrecision(3))} s`;
  if (ms < 5_400_000) return `${Number((ms / 60_000).toPrecision(3))} min`;
  return `${Number((ms / 3_600_000).toPrecision(3))} h`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' });

/** The time of day where the reader is, to the minute; of seconds since the epoch. */
export function timeOfDay(t: number): string {
  return clock.format(t * 1_000).slice(0, 5);
}

/** An ISO time where the reader is, to the second; the day only where it is not today. */
export function localTime(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const today = day.format(time) === day.format(now);
  return today ? clock.format(time) : `${day.format(time)} ${clock.format(time)}`;
}
