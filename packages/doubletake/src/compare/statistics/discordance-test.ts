/**
 * Does the candidate differ from production in more pairs than a version differs from itself?
 *
 * An e-process for two samples, block by block (Turner, Ly and Grünwald 2024; Turner and Grünwald 2023). Before a block
 * is looked at, its outcome is forecast from the blocks before: a rate for candidate pairs, one for noise pairs. The
 * e-value is multiplied by the likelihood of what came under that forecast, through its likelihood under the nearest
 * pair of rates that the hypothesis 'candidate's rate <= noise rate + allowed' permits. If the hypothesis holds, that
 * factor is at most 1 in the mean, whatever the rates are, whether or not they drift within the block or between blocks,
 * and however many pairs of either kind a block has. So one may look at any time, and may choose by what was seen how
 * many noise pairs the next blocks shall have.
 *
 * The bet is on nothing where the forecast itself permits the hypothesis: a field that is as noisy in the candidate as
 * it is anyway keeps its e-value.
 */
import { timesLog, timesLogRest } from './special-functions.ts';

/**
 * Pairs that were compared since the last block. Where a block ends must not depend on what differed in it; it may
 * depend on all before, and on how many pairs of each kind came.
 */
export interface PairCounts {
  candidatePairs: number;
  candidateDiffer: number;
  noisePairs: number;
  noiseDiffer: number;
}

/** What is thought of a rate before anything is known: it is small. Of so many pairs this many differed. */
const priorDiffer = 0.2;
const priorPairs = 1;

/** From so many noise pairs on, a field must seem to differ beyond noise by this much to be worth more of them. */
const noisePairsTried = 200;
const logRatioTried = 1;

export class DiscordanceTest {
  readonly #allowed: number;
  #logE = 0;
  #candidatePairs = 0;
  #candidateDiffer = 0;
  #noisePairs = 0;
  #noiseDiffer = 0;

  /** `allowed`: share of the pairs, from 0 to 1, by which the candidate may differ more often than noise. */
  constructor(allowed: number) {
    this.#allowed = allowed;
  }

  /** The same test with the same past: for a field that has been as silent so far as others were. */
  copy(): DiscordanceTest {
    const copy = new DiscordanceTest(this.#allowed);
    copy.#logE = this.#logE;
    copy.#candidatePairs = this.#candidatePairs;
    copy.#candidateDiffer = this.#candidateDiffer;
    copy.#noisePairs = this.#noisePairs;
    copy.#noiseDiffer = this.#noiseDiffer;
    return copy;
  }

  push(block: Readonly<PairCounts>): void {
    const { candidatePairs, candidateDiffer, noisePairs, noiseDiffer } = block;
    const candidate = this.#candidateForecast();
    const noise = this.#noiseForecast();
    if (candidatePairs > 0 && noisePairs > 0 && candidate > noise + this.#allowed) {
      const nearest = nearestNoise(candidate, noise, candidatePairs, noisePairs, this.#allowed);
      this.#logE +=
        logRatio(candidateDiffer, candidatePairs, candidate, nearest + this.#allowed) +
        logRatio(noiseDiffer, noisePairs, noise, nearest);
    }
    this.#candidatePairs += candidatePairs;
    this.#candidateDiffer += candidateDiffer;
    this.#noisePairs += noisePairs;
    this.#noiseDiffer += noiseDiffer;
  }

  /** Logarithm of the e-value against 'the candidate differs no more often than noise and what is allowed'. */
  get logE(): number {
    return this.#logE;
  }

  /** What all blocks came to. */
  get counts(): PairCounts {
    return {
      candidatePairs: this.#candidatePairs,
      candidateDiffer: this.#candidateDiffer,
      noisePairs: this.#noisePairs,
      noiseDiffer: this.#noiseDiffer,
    };
  }

  /**
   * More noise pairs would help: the candidate seems to differ more often, and it is not known yet that it does. After
   * many noise pairs it has to seem so by more than chance does easily.
   */
  wantsNoise(logENeeded: number): boolean {
    if (this.#candidateDiffer === 0 || this.#logE >= logENeeded) return false;
    const candidate = this.#candidateDiffer / this.#candidatePairs;
    const noise = this.#noisePairs === 0 ? 0 : this.#noiseDiffer / this.#noisePairs;
    if (candidate <= noise + this.#allowed) return false;
    return this.#noisePairs < noisePairsTried || this.#logLikelihoodRatio(candidate, noise) > logRatioTried;
  }

  /** Of the rates as they were through the nearest that the hypothesis permits. */
  #logLikelihoodRatio(candidate: number, noise: number): number {
    const nearest = nearestNoise(candidate, noise, this.#candidatePairs, this.#noisePairs, this.#allowed);
    return (
      logRatio(this.#candidateDiffer, this.#candidatePairs, candidate, nearest + this.#allowed) +
      logRatio(this.#noiseDiffer, this.#noisePairs, noise, nearest)
    );
  }

  #candidateForecast(): number {
    return (this.#candidateDiffer + priorDiffer) / (this.#candidatePairs + priorPairs);
  }

  #noiseForecast(): number {
    return (this.#noiseDiffer + priorDiffer) / (this.#noisePairs + priorPairs);
  }
}

/** Of what the hypothesis permits, the noise rate nearest to the forecast: of the least relative entropy to a block. */
function nearestNoise(candidate: number, noise: number, candidatePairs: number, noisePairs: number, allowed: number): number {
  if (allowed === 0) return (candidatePairs * candidate + noisePairs * noise) / (candidatePairs + noisePairs);
  let low = noise;
  let high = candidate - allowed;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    const shifted = middle + allowed;
    const slope =
      (candidatePairs * (shifted - candidate)) / (shifted * (1 - shifted)) +
      (noisePairs * (middle - noise)) / (middle * (1 - middle));
    if (slope < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function logRatio(count: number, total: number, forecast: number, permitted: number): number {
  return timesLog(count, forecast / permitted) + timesLogRest(total - count, forecast) - timesLogRest(total - count, permitted);
}
