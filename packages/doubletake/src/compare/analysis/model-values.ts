/**
 * Values that a model answers, in pairs: how often two labels agree, how far two numbers are apart and whether their
 * distribution has moved. Memory is bounded; what quantiles are made of is thinned out evenly, the sums are exact.
 */
import type { LabelReport, NumberReport } from '../report.ts';

const labelsMax = 200;
const labelCharsMax = 100;
const combinationsMax = 100;
const OTHER = '(other)';

const sampleMax = 16_384;
const decilesPairsMin = 50;

export class Labels {
  readonly #names = new Set<string>();
  readonly #combinations = new Map<string, Map<string, number>>();
  #pairs = 0;
  #same = 0;

  push(baseline: string, candidate: string): void {
    this.#pairs++;
    if (baseline === candidate) this.#same++;
    const row = this.#name(baseline);
    const column = this.#name(candidate);
    let counts = this.#combinations.get(row);
    if (counts === undefined) this.#combinations.set(row, (counts = new Map()));
    counts.set(column, (counts.get(column) ?? 0) + 1);
  }

  report(): LabelReport {
    const confusion: LabelReport['confusion'] = [];
    const columns = new Map<string, number>();
    let byChance = 0;
    for (const [baseline, counts] of this.#combinations) {
      for (const [candidate, pairs] of counts) {
        confusion.push({ baseline, candidate, pairs });
        columns.set(candidate, (columns.get(candidate) ?? 0) + pairs);
      }
    }
    for (const [baseline, counts] of this.#combinations) {
      let row = 0;
      for (const pairs of counts.values()) row += pairs;
      byChance += (row / this.#pairs) * ((columns.get(baseline) ?? 0) / this.#pairs);
    }
    const agreement = this.#pairs === 0 ? 1 : this.#same / this.#pairs;
    return {
      agreement,
      kappa: this.#pairs === 0 || byChance >= 1 ? null : (agreement - byChance) / (1 - byChance),
      confusion: confusion.toSorted((a, b) => b.pairs - a.pairs).slice(0, combinationsMax),
    };
  }

  #name(label: string): string {
    const name = label.slice(0, labelCharsMax);
    if (this.#names.has(name)) return name;
    if (this.#names.size >= labelsMax) return OTHER;
    this.#names.add(name);
    return name;
  }
}

export class Numbers {
  #pairs = 0;
  #meanBaseline = 0;
  #meanCandidate = 0;
  /** Sums of products of what is above the means (Welford). */
  #squaresBaseline = 0;
  #squaresCandidate = 0;
  #products = 0;
  #baseline: number[] = [];
  #candidate: number[] = [];
  /** Every so many pairs one is kept. */
  #step = 1;

  /** Both are finite. */
  push(baseline: number, candidate: number): void {
    if (this.#pairs % this.#step === 0) this.#keep(baseline, candidate);
    this.#pairs++;
    const fromBaseline = baseline - this.#meanBaseline;
    const fromCandidate = candidate - this.#meanCandidate;
    this.#meanBaseline += fromBaseline / this.#pairs;
    this.#meanCandidate += fromCandidate / this.#pairs;
    this.#squaresBaseline += fromBaseline * (baseline - this.#meanBaseline);
    this.#squaresCandidate += fromCandidate * (candidate - this.#meanCandidate);
    this.#products += fromBaseline * (candidate - this.#meanCandidate);
  }

  report(): NumberReport {
    const differences = this.#candidate.map((value, index) => value - this.#baseline[index]).toSorted((a, b) => a - b);
    const quantile = (share: number): number | null =>
      differences[Math.max(0, Math.ceil(share * differences.length) - 1)] ?? null;
    const spread = Math.sqrt(this.#squaresBaseline * this.#squaresCandidate);
    return {
      meanDifference: this.#meanCandidate - this.#meanBaseline,
      differences: { p1: quantile(0.01), p10: quantile(0.1), p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) },
      correlation: spread > 0 ? Math.max(-1, Math.min(1, this.#products / spread)) : null,
      psi: this.#baseline.length < decilesPairsMin ? null : stabilityIndex(this.#baseline, this.#candidate),
    };
  }

  #keep(baseline: number, candidate: number): void {
    this.#baseline.push(baseline);
    this.#candidate.push(candidate);
    if (this.#baseline.length < sampleMax) return;
    this.#step *= 2;
    this.#baseline = this.#baseline.filter((_, index) => index % 2 === 0);
    this.#candidate = this.#candidate.filter((_, index) => index % 2 === 0);
  }
}

/** Sum of (q - p) ln(q / p) over the deciles of `before`, where p and q are both sides' shares; no share is taken as 0. */
function stabilityIndex(before: readonly number[], after: readonly number[]): number {
  const sorted = before.toSorted((a, b) => a - b);
  const bounds = [...new Set(Array.from({ length: 9 }, (_, index) => sorted[Math.floor(((index + 1) * sorted.length) / 10)]))];
  const p = shares(before, bounds);
  const q = shares(after, bounds);
  return p.reduce((sum, share, index) => sum + (q[index] - share) * Math.log(q[index] / share), 0);
}

/** Share of the values below the first bound, from each bound to the next, and from the last on. */
function shares(values: readonly number[], bounds: readonly number[]): number[] {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0.5);
  for (const value of values) counts[bounds.filter((bound) => value >= bound).length]++;
  return counts.map((count) => count / (values.length + 0.5 * counts.length));
}
