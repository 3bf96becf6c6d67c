/**
 * pcapng clocks: a 64-bit count of units of 10^-n or 2^-n seconds, to whole microseconds, exactly.
 *
 * A count of nanoseconds does not fit a double, so the common units are divided in two 32-bit halves; only binary units
 * and ones finer than a picosecond take the slow way through BigInt.
 */
export interface TimeUnit {
  /** Microseconds are count * multiplier / divisor. */
  multiplier: number;
  divisor: number;
  /** The same for BigInt, when `divisor` is too large for the halves; else null. */
  exact: { multiplier: bigint; divisor: bigint } | null;
}

/** Largest divisor for which a remainder of it, times 2^32, is exact in a double. */
const DIVISOR_MAX = 2 ** 21;

/** The unit that `if_tsresol` names: an exponent of ten, or of two when the top bit is set. */
export function timeUnit(resolution: number): TimeUnit {
  const exponent = resolution & 0x7f;
  if ((resolution & 0x80) !== 0) {
    return { multiplier: 1, divisor: 1, exact: { multiplier: 1_000_000n, divisor: 2n ** BigInt(exponent) } };
  }
  if (exponent <= 6) return { multiplier: 10 ** (6 - exponent), divisor: 1, exact: null };
  const divisor = 10 ** (exponent - 6);
  if (divisor <= DIVISOR_MAX) return { multiplier: 1, divisor, exact: null };
  return { multiplier: 1, divisor: 1, exact: { multiplier: 1n, divisor: 10n ** BigInt(exponent - 6) } };
}

/** Whole microseconds in `high * 2^32 + low` units. */
export function timeUsOf(unit: TimeUnit, high: number, low: number): number {
  if (unit.exact !== null) {
    const count = (BigInt(high) << 32n) | BigInt(low);
    return Number((count * unit.exact.multiplier) / unit.exact.divisor);
  }
  const quotient = Math.floor(high / unit.divisor);
  const remainder = high % unit.divisor;
  return (quotient * 2 ** 32 + Math.floor((remainder * 2 ** 32 + low) / unit.divisor)) * unit.multiplier;
}
