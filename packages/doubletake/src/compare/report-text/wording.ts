/** What every format says in the same words and in the same order. */
import type { ClusterReport, EndpointReport, ModelReport, NoiseReport, RuleReport, RunReport, Verdict, VerdictPolicy } from '../report.ts';
import { count, moment, percent, plain, plural, ratio } from './figures.ts';

const verdictRank: Readonly<Record<Verdict, number>> = { REGRESSION: 0, INSUFFICIENT: 1, SAFE: 2 };

/** What needs a look first; under the same verdict what has the most traffic. */
export function byUrgency(endpoints: readonly EndpointReport[]): EndpointReport[] {
  return endpoints.toSorted((a, b) => verdictRank[a.verdict] - verdictRank[b.verdict] || b.pairs - a.pairs);
}

/** The verdict in a sentence. */
export function meaning(verdict: Verdict): string {
  switch (verdict) {
    case 'SAFE':
      return 'The candidate answers as production does, within the policy.';
    case 'REGRESSION':
      return 'The candidate does worse than the policy allows.';
    case 'INSUFFICIENT':
      return 'There is not enough data for a verdict.';
  }
}

/** `14,212 pairs compared, 83 of them (0.58 %) differ beyond noise and rules`. */
export function comparedText({ pairs, mismatches }: RunReport): string {
  if (pairs === 0) return 'no pairs compared';
  if (mismatches === 0) return `${plural(pairs, 'pair')} compared, none differs beyond noise and rules`;
  return `${plural(pairs, 'pair')} compared, ${count(mismatches)} of them (${percent(mismatches / pairs)}) differ${mismatches === 1 ? 's' : ''} beyond noise and rules`;
}

/** `2026-11-21 16:30:05 to 16:45:10 UTC`; empty when nothing was seen. */
export function periodText({ from, to }: RunReport): string {
  if (from === null || to === null) return '';
  const [start, end] = [moment(from), moment(to)];
  return `${start} to ${end.slice(0, 10) === start.slice(0, 10) ? end.slice(11) : end} UTC`;
}

export function neededText({ pairsNeeded }: RunReport): string {
  return pairsNeeded === null ? '' : `About ${plural(pairsNeeded, 'more pair')} needed for a verdict.`;
}

/** What must hold for SAFE. */
export function policyText({ maxMismatch, maxLatencyRatio, maxErrorIncrease, confidence, minPairs }: VerdictPolicy): string {
  return [
    `at most ${percent(maxMismatch)} of an endpoint's pairs differ`,
    `latency at most ${ratio(maxLatencyRatio)} production's`,
    `errors up by at most ${percent(maxErrorIncrease)}`,
    `shown with ${percent(confidence)} confidence from ${plural(minPairs, 'pair')} an endpoint`,
  ].join('; ');
}

/** `high risk`, with what is to be known about it. */
export function remarks({ origin, significant, accepted, risk }: ClusterReport): string[] {
  return [
    `${risk} risk`,
    ...(origin === 'state' ? ['different data, not different code'] : []),
    ...(accepted === true ? ['accepted: it counts no more'] : significant ? [] : ['may still be noise']),
  ];
}

export function shareText(cluster: Pick<ClusterReport, 'count' | 'share'>): string {
  return `${plural(cluster.count, 'pair')}, ${percent(cluster.share)} of the endpoint's`;
}

/** `value at $.total`, with the transition where there is one. */
export function kindText({ kind, transition }: Pick<ClusterReport, 'kind' | 'transition'>): string {
  return transition === null ? kind : `${kind}: ${transition}`;
}

/** What became of the value in the example, `from` and `to` written as the format writes values. */
export function valuesText({ example }: ClusterReport, written: (value: string) => string): string {
  const [from, to] = [example.from, example.to].map((value) => (value === null ? 'nothing' : written(value)));
  return example.from === example.to ? `${from} on both sides` : `${from} → ${to}`;
}

/** A rule that hides nothing is worth a word. */
export function ruleText({ hidden, pairs }: RuleReport): string {
  return hidden === 0 ? 'hid nothing' : `hid ${plural(hidden, 'difference')} in ${plural(pairs, 'pair')}`;
}

/** What may differ at a place, why, and how often it does. */
export function noiseText({ of, reason, pairs }: NoiseReport): string {
  return `${of}: ${reason}; does not count in ${plural(pairs, 'pair')}`;
}

/** How far two models agree. */
export function modelText({ pairs, baselineOnly, candidateOnly, label, number }: ModelReport): string {
  return [
    plural(pairs, 'pair'),
    ...(baselineOnly > 0 ? [`${count(baselineOnly)} with production's value alone`] : []),
    ...(candidateOnly > 0 ? [`${count(candidateOnly)} with the candidate's alone`] : []),
    ...(label === null ? [] : [`the same label in ${percent(label.agreement)}`]),
    ...(label === null || label.kappa === null ? [] : [`kappa ${plain(label.kappa)}`]),
    ...(number === null ? [] : [`mean difference ${plain(number.meanDifference)}`]),
    ...(number === null ? [] : quantilesOf(number.differences)),
    ...(number === null || number.correlation === null ? [] : [`correlation ${plain(number.correlation)}`]),
    ...(number === null || number.psi === null ? [] : [`PSI ${plain(number.psi)} (${drift(number.psi)} drift)`]),
  ].join(', ');
}

/** The combinations of different labels that are most frequent: `cat → dog 12`. */
export function confusionText({ label }: ModelReport): string {
  if (label === null) return '';
  const others = label.confusion.filter(({ baseline, candidate }) => baseline !== candidate).slice(0, 5);
  return others.map(({ baseline, candidate, pairs }) => `${baseline} → ${candidate} ${count(pairs)}`).join(', ');
}

function quantilesOf(differences: NonNullable<ModelReport['number']>['differences']): string[] {
  const { p1, p50, p99 } = differences;
  const known = Object.entries({ p1, p50, p99 }).flatMap(([name, value]) => (value === null ? [] : [`${name} ${plain(value)}`]));
  return known.length === 0 ? [] : [known.join(' ')];
}

/** The usual reading of the population stability index. */
function drift(psi: number): string {
  if (psi < 0.1) return 'little';
  return psi > 0.25 ? 'much' : 'some';
}

/** What was left out, the most first: `incomplete 120, no baseline 3`. */
export function excludedText(excluded: RunReport['excluded']): string {
  return Object.entries(excluded)
    .filter(([, left]) => left > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, left]) => `${reason.replaceAll('_', ' ')} ${count(left)}`)
    .join(', ');
}
