/**
 * Logarithms of the gamma and beta functions, exact enough for counts up to 1e9: differences of large logarithms, in
 * which digits are lost, are taken apart by hand (as in Didonato and Morris, algorithm 708, ACM TOMS 18, 1992).
 */

const halfLogTwoPi = 0.9189385332046727;

/** What Stirling's formula lacks of log gamma(x), for x of 10 and more (Abramowitz and Stegun 6.1.41). */
function stirlingRest(x: number): number {
  const square = 1 / (x * x);
  return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188))))) / x;
}

/** log gamma(x), x above 0. */
export function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 10) product *= shifted++;
  return (shifted - 0.5) * Math.log(shifted) - shifted + halfLogTwoPi + stirlingRest(shifted) - Math.log(product);
}

/** log of the beta function B(a, b), both above 0. */
export function logBeta(a: number, b: number): number {
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  if (large < 10) return logGamma(small) + logGamma(large) - logGamma(small + large);
  const total = small + large;
  const rest = stirlingRest(large) - stirlingRest(total);
  if (small < 10) {
    return logGamma(small) + rest + small - small * Math.log(total) + (large - 0.5) * Math.log1p(-small / total);
  }
  const logs = (small - 0.5) * Math.log(small / total) + large * Math.log1p(-small / total);
  return logs - 0.5 * Math.log(large) + halfLogTwoPi + stirlingRest(small) + rest;
}

/**
 * Logarithms of the two parts into which x, between 0 and 1, divides the beta distribution of a and b: what lies below,
 * I_x(a, b), and what lies above.
 */
export function logBetaParts(x: number, a: number, b: number): { below: number; above: number } {
  if (x <= 0) return { below: -Infinity, above: 0 };
  if (x >= 1) return { below: 0, above: -Infinity };
  // The fraction converges fast on the side of the mean that holds the smaller part.
  if (x > (a + 1) / (a + b + 2)) {
    const above = logSmallPart(1 - x, Math.log1p(-x), Math.log(x), b, a);
    return { below: logOneMinus(above), above };
  }
  const below = logSmallPart(x, Math.log(x), Math.log1p(-x), a, b);
  return { below, above: logOneMinus(below) };
}

/** log I_x(a, b) by its continued fraction (NIST DLMF 8.17.22), evaluated by Lentz's method. */
function logSmallPart(x: number, logX: number, logRest: number, a: number, b: number): number {
  const tiny = 1e-300;
  const stepsMax = 1_000_000;
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let m = 1; m <= stepsMax; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d, tiny);
    c = away(1 + even / c, tiny);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d, tiny);
    c = away(1 + odd / c, tiny);
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return Math.min(0, a * logX + b * logRest - Math.log(a) - logBeta(a, b) + Math.log(fraction));
}

function away(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** log(1 - e^x), x at most 0. */
function logOneMinus(x: number): number {
  return x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
}

/** a log(b), 0 where a is 0: the share of outcomes that did not happen in a log likelihood. */
export function timesLog(a: number, b: number): number {
  return a === 0 ? 0 : a * Math.log(b);
}

/** The same with log(1 - b). */
export function timesLogRest(a: number, b: number): number {
  return a === 0 ? 0 : a * Math.log1p(-b);
}
