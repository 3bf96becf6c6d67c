/** Dates in fields: two answers are never given at the same moment, so dates are compared by how they are written. */

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const IMF = new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d ${MONTH} \d{4} \d\d:\d\d:\d\d GMT$`);
/** As cookies were first given out with, and still are. */
const COOKIE_DATE = new RegExp(
  String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, \d\d[ -]${MONTH}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$`,
);
const ISO = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?$/;
/** What two clocks and the moment between two readings of one may make of the same lifetime, seconds. */
const LIFETIME_TOLERANCE = 2;

/** The format of a date: the same text for dates that are written alike; null for what is no date. */
function dateFormat(value: string): string | null {
  if (IMF.test(value)) return 'IMF-fixdate';
  if (COOKIE_DATE.test(value)) return 'cookie-date';
  // The zone is part of the format.
  const [, moment, zone = ''] = ISO.exec(value) ?? [];
  return moment === undefined ? null : moment.replaceAll(/\d/g, '0') + zone;
}

/** Both are dates in one format. */
export function sameDateFormat(a: string, b: string): boolean {
  const format = dateFormat(a);
  return format !== null && format === dateFormat(b);
}

/** Both run out equally long after the answer they stand in was given; without a Date, both are dates in one format. */
export function sameLifetime(a: string, aDate: string | undefined, b: string, bDate: string | undefined): boolean {
  if (a === b) return true;
  if (!sameDateFormat(a, b)) return false;
  const [left, right] = [lifetime(a, aDate), lifetime(b, bDate)];
  if (left === null || right === null) return true;
  // How long ago it ran out says nothing.
  if (left <= 0 && right <= 0) return true;
  return Math.abs(left - right) <= LIFETIME_TOLERANCE;
}

function lifetime(expires: string, date: string | undefined): number | null {
  const seconds = (Date.parse(expires) - Date.parse(date ?? '')) / 1000;
  return Number.isNaN(seconds) ? null : seconds;
}
