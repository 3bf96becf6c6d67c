/** Beyond this many times what there is, nothing is foretold. */
const growthMax = 1000;

/**
 * About how many more pairs it takes until a statement can be made, if what comes is as what was: `isMade` says whether
 * it could be with so many times the counts there are. Rounded up to two digits; null when that is too far away to tell.
 */
export function pairsNeeded(pairs: number, isMade: (growth: number) => boolean): number | null {
  if (pairs === 0) return null;
  if (isMade(1)) return 0;
  let short = 1;
  let enough = 2;
  while (!isMade(enough)) {
    if (enough >= growthMax) return null;
    short = enough;
    enough *= 2;
  }
  for (let step = 0; step < 8; step++) {
    const middle = (short + enough) / 2;
    if (isMade(middle)) enough = middle;
    else short = middle;
  }
  return roundedUp(pairs * (enough - 1));
}

/** To two digits: 4,213 is 4,300. */
function roundedUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit) * unit;
}
