/** How the cost of a piece of work grows with its input. */

const runsMax = 60;

function costMs(work: () => void, times: number): number {
  const startMs = performance.now();
  for (let time = 0; time < times; time++) work();
  return performance.now() - startMs;
}

/**
 * How many times as long `long` takes as `times` runs of `short`, whose input is so many times smaller: about 1 where
 * the work grows with the input, about `times` where it grows with its square. What a machine does besides can only add
 * to a measurement, so it is repeated until the best ones are below `limit`, which work that grows faster never is.
 */
export function growth(short: () => void, long: () => void, times: number, limit: number): number {
  let longMs = Infinity;
  let shortMs = Infinity;
  for (let run = 0; run === 0 || (run < runsMax && longMs / shortMs >= limit); run++) {
    // The long one first: what has still to be compiled must not make the short ones look slow.
    longMs = Math.min(longMs, costMs(long, 1));
    shortMs = Math.min(shortMs, costMs(short, times));
  }
  return longMs / shortMs;
}
