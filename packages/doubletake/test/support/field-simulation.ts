/**
 * Endpoints whose fields differ with known probabilities, judged again and again while pairs come in: what is found, and
 * what is found that is not there, by e-BH over `EndpointEvidence` and by Diffy's rule.
 */
import { rejectionThreshold } from '../../src/compare/statistics/e-benjamini-hochberg.ts';
import { EndpointEvidence } from '../../src/compare/statistics/endpoint-evidence.ts';
import { Random } from './random.ts';

export interface FieldGroup {
  name: string;
  fields: number;
  /** Probabilities that a field differs, by its number in the group and how far the run is, from 0 to 1. */
  rates: (field: number, progress: number) => { candidate: number; noise: number };
  changed: boolean;
}

/** How many of the requests are sent twice: always, and while more noise pairs are wanted. */
export interface NoiseShares {
  usual: number;
  wanted: number;
}

export interface Found {
  /** Of the group's fields, those that the last look and that any look said to differ beyond noise. */
  atEnd: number;
  ever: number;
  /** Pairs of the endpoint at the first look that said so. */
  firstPairs: number[];
}

export interface SimulationResult {
  doubletake: Found[];
  diffy: Found[];
  noisePairs: number;
}

const fieldsOfEndpoint = 5;
const pairsOfEndpoint = 5000;
const pairsOfLook = 50;
const alpha = 0.05;

/** Diffy's thresholds, in percent (https://github.com/opendiffy/diffy, JoinedDifferences.scala and its settings). */
const diffyRelative = 20;
const diffyAbsolute = 0.03;

const unchanging = { candidate: 0, noise: 0 };

interface Field {
  path: string;
  group: number;
  number: number;
  /** As Diffy counts, which compares every request with a second instance of the old version. */
  candidateDiffer: number;
  noiseDiffer: number;
}

interface Endpoint {
  evidence: EndpointEvidence;
  fields: Field[];
}

export function simulate(groups: readonly FieldGroup[], shares: NoiseShares, seed: number): SimulationResult {
  const random = new Random(seed);
  const endpoints = endpointsOf(groups, random);
  const hypotheses = groups.reduce((sum, { fields }) => sum + fields, 0);
  const doubletake = groups.map((): Found => ({ atEnd: 0, ever: 0, firstPairs: [] }));
  const diffy = groups.map((): Found => ({ atEnd: 0, ever: 0, firstPairs: [] }));
  const said = { doubletake: new Set<Field>(), diffy: new Set<Field>() };
  let logENeeded = Math.log(hypotheses / alpha);
  let noisePairs = 0;
  for (let pairs = pairsOfLook; pairs <= pairsOfEndpoint; pairs += pairsOfLook) {
    const eValues = new Map<Field, number>();
    for (const { evidence, fields } of endpoints) {
      const share = evidence.wantsNoise(logENeeded) ? shares.wanted : shares.usual;
      noisePairs += comparePairs(evidence, fields, groups, random, share, pairs / pairsOfEndpoint);
      const logEs = new Map(evidence.fields().map(({ path, logE }) => [path, logE]));
      for (const field of fields) eValues.set(field, Math.exp(logEs.get(field.path) ?? 0));
    }
    const threshold = rejectionThreshold([...eValues.values()], alpha);
    logENeeded = Math.log(Math.min(threshold, hypotheses / alpha));
    const isLast = pairs === pairsOfEndpoint;
    for (const [field, eValue] of eValues) {
      if (eValue >= threshold) note(doubletake, said.doubletake, field, pairs, isLast);
      if (isDiffysDifference(field, pairs)) note(diffy, said.diffy, field, pairs, isLast);
    }
  }
  return { doubletake, diffy, noisePairs };
}

/** The pairs until the next look; returns how many noise pairs there were. */
function comparePairs(
  evidence: EndpointEvidence,
  fields: readonly Field[],
  groups: readonly FieldGroup[],
  random: Random,
  share: number,
  progress: number,
): number {
  const rates = fields.map(({ group, number }) => groups[group]?.rates(number, progress) ?? unchanging);
  let noisePairs = 0;
  for (let pair = 0; pair < pairsOfLook; pair++) {
    const candidatePaths: string[] = [];
    const noisePaths: string[] = [];
    for (const [index, field] of fields.entries()) {
      const { candidate, noise } = rates[index] ?? unchanging;
      if (candidate > 0 && random.happens(candidate)) {
        candidatePaths.push(field.path);
        field.candidateDiffer++;
      }
      if (noise > 0 && random.happens(noise)) {
        noisePaths.push(field.path);
        field.noiseDiffer++;
      }
    }
    evidence.push('candidate', candidatePaths.length > 0, candidatePaths);
    if (random.happens(share)) {
      evidence.push('noise', noisePaths.length > 0, noisePaths);
      noisePairs++;
    }
  }
  return noisePairs;
}

function isDiffysDifference({ candidateDiffer, noiseDiffer }: Field, pairs: number): boolean {
  const difference = candidateDiffer - noiseDiffer;
  if (difference <= 0) return false;
  const relative = (difference / (candidateDiffer + noiseDiffer)) * 100;
  return relative > diffyRelative && (difference / pairs) * 100 > diffyAbsolute;
}

function note(found: readonly Found[], said: Set<Field>, field: Field, pairs: number, isLast: boolean): void {
  const of = found[field.group];
  if (of === undefined) return;
  if (isLast) of.atEnd++;
  if (said.has(field)) return;
  said.add(field);
  of.ever++;
  of.firstPairs.push(pairs);
}

/** All fields in random order, so many to an endpoint. */
function endpointsOf(groups: readonly FieldGroup[], random: Random): Endpoint[] {
  const fields = groups.flatMap(({ fields: count }, group) =>
    Array.from({ length: count }, (_, number): Field => ({
      path: `$.${group}.${number}`,
      group,
      number,
      candidateDiffer: 0,
      noiseDiffer: 0,
    })),
  );
  const shuffled = fields.map((field) => ({ field, order: random.next() })).toSorted((a, b) => a.order - b.order);
  const room = { left: fields.length };
  const endpoints: Endpoint[] = [];
  for (let first = 0; first < shuffled.length; first += fieldsOfEndpoint) {
    endpoints.push({
      evidence: new EndpointEvidence({ allowed: 0, allowedOfField: 0, expectsNoise: true, room }),
      fields: shuffled.slice(first, first + fieldsOfEndpoint).map(({ field }) => field),
    });
  }
  return endpoints;
}
