/** What a comparison has come to: the contract of `report DIR --format json`, from which every other format is made. */
import type { DifferenceKind } from './difference.ts';

export type Verdict = 'SAFE' | 'REGRESSION' | 'INSUFFICIENT';

/** An estimate with the interval that holds it with the policy's confidence, also under continuous looking. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** What must hold for SAFE. Shares and ratios as plain numbers: 0.001 is 0.1 %. */
export interface VerdictPolicy {
  /** Share of an endpoint's pairs that may differ beyond noise. */
  maxMismatch: number;
  /** Candidate's latency through production's, at p50, p90 and p99. */
  maxLatencyRatio: number;
  /** Increase of the share of failed or 5xx answers, absolute. */
  maxErrorIncrease: number;
  /** Of all statements together: 0.95. */
  confidence: number;
  /** Pairs that an endpoint needs before it is judged. */
  minPairs: number;
}

export interface RunReport {
  verdict: Verdict;
  /** In words, the weightiest first. */
  reasons: string[];
  /** Pairs compared, and those of them that differ beyond noise and rules. */
  pairs: number;
  mismatches: number;
  /** About how many more pairs are needed for a verdict; null when there is one or it cannot be told. */
  pairsNeeded: number | null;
  /** Capture times of the first and the last pair, ISO 8601; null when there is none. */
  from: string | null;
  to: string | null;
  policy: VerdictPolicy;
  endpoints: EndpointReport[];
  clusters: ClusterReport[];
  rules: RuleReport[];
  /** What differs by itself, and is held to its format, presence and length alone; the most frequent first. */
  noise?: NoiseReport[];
  /** Values of models that the configuration names. */
  models?: ModelReport[];
  /** What was left out of the comparison, by reason: `incomplete`, `no_baseline`, `too_large`, `sampled_down` … */
  excluded: { [reason: string]: number };
  warnings: string[];
}

export interface EndpointReport {
  /** `GET /users/{id}`. */
  endpoint: string;
  pairs: number;
  mismatches: number;
  /** Share of the pairs that differ beyond noise; null below `minPairs`. */
  mismatch: Estimate | null;
  /** Null where there are not enough answers on both sides. */
  latencyRatio: { p50: Estimate | null; p90: Estimate | null; p99: Estimate | null };
  latencyMs: { baseline: Quantiles; candidate: Quantiles };
  /** Failed or 5xx: pairs with an error on that side alone, and on both. */
  errors: { baselineOnly: number; candidateOnly: number; both: number; increase: Estimate | null };
  verdict: Verdict;
  reason: string;
  pairsNeeded: number | null;
}

export interface Quantiles {
  p50: number | null;
  p90: number | null;
  p99: number | null;
}

/** How much harm a difference can do: a removed or retyped field before a status, a value, an addition, an order. */
export type Risk = 'high' | 'medium' | 'low';

export interface ClusterReport {
  /** Stable for the same endpoint, path, kind and transition. */
  id: string;
  endpoint: string;
  path: string;
  kind: DifferenceKind;
  /** From and to in short where that is what the pairs have in common: `200 -> 500`, `number -> string`. */
  transition: string | null;
  count: number;
  /** Of the endpoint's pairs. */
  share: number;
  risk: Risk;
  /** In words: `the field is gone`. */
  cause: string;
  /** `state`: the two environments hold different data, by the evidence in `cause`; `code` otherwise. */
  origin: 'code' | 'state';
  /** What the statistics say: beyond noise, or not known yet. */
  significant: boolean;
  /** Accepted by hand: it counts no more. Absent when it is not. */
  accepted?: true;
  firstSeen: string;
  example: ClusterExample;
}

export interface ClusterExample {
  id: string;
  request: string;
  baseline: string | null;
  candidate: string | null;
  /** The values at the path. */
  from: string | null;
  to: string | null;
  /** A command that sends the request again. */
  curl: string;
}

/** What a rule of the user did. */
export interface RuleReport {
  name: string;
  /** Differences that it hid, and of how many pairs. */
  hidden: number;
  pairs: number;
}

/** A place whose differences do not count. */
export interface NoiseReport {
  endpoint: string;
  path: string;
  /** `value`, `order`, `presence` …: what of it may differ. */
  of: string;
  /** In words: `differs by itself in 12 of 20 pairs`. */
  reason: string;
  /** Candidate pairs that differ so. */
  pairs: number;
}

/** A value that a model answers, compared as what it is. */
export interface ModelReport {
  endpoint: string;
  path: string;
  /** Pairs in which both sides have a value, and those in which one side alone has. */
  pairs: number;
  baselineOnly: number;
  candidateOnly: number;
  /** One of these two is null. */
  label: LabelReport | null;
  number: NumberReport | null;
}

export interface LabelReport {
  /** Share of the pairs with the same label, and the same beyond what chance would give (Cohen's kappa). */
  agreement: number;
  kappa: number | null;
  /** The most frequent combinations of labels first, at most 100. */
  confusion: { baseline: string; candidate: string; pairs: number }[];
}

export interface NumberReport {
  /** Candidate minus baseline. */
  meanDifference: number;
  differences: Quantiles & { p1: number | null; p10: number | null };
  /** Pearson's, null where one side never varies. */
  correlation: number | null;
  /** Population stability index over the baseline's deciles: below 0.1 little drift, above 0.25 much. */
  psi: number | null;
}
