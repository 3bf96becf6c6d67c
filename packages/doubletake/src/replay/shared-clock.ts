/**
 * Microseconds (fractions) on the machine's monotonic clock: the same clock in every thread, unlike
 * `performance.now()`, which begins anew in each.
 */
export function sharedNowUs(): number {
  return Number(process.hrtime.bigint()) / 1000;
}
