/**
 * What is known of one place in the answers of one endpoint: how often it differs between the two versions, how often it
 * differs by itself, and what its values look like. From that it is decided whether a difference there is noise.
 *
 * A value is noise when it differs between answers of one version to the same request. Where there are hardly any such
 * answers, it is noise when it looks made for the answer: a token or the present time, other in every pair, never the
 * same again, and nowhere in the request. What is noise in its value still has its type, its presence and its format.
 *
 * A candidate that answers one thing now and another then differs from itself, too; that is no noise. Noise is on both
 * sides: what is missing must as often be too much, and the baseline's own answers must differ as well, if there are any.
 */
import type { Difference, DifferenceKind } from '../difference.ts';
import { logBeta } from '../statistics/special-functions.ts';
import { shapeOf, type Shape } from './value-shape.ts';

/** Kinds that are noise or not apart from each other. */
const noiseClasses = ['value', 'type', 'presence', 'length', 'order', 'status', 'failure', 'malformed'] as const;
export type NoiseClass = (typeof noiseClasses)[number];

/** Which pairs are counted: the candidate's, those sent twice or to a reference, the baseline's own answers over time. */
export type PairSource = 'candidate' | 'noise' | 'own';

/** With so many pairs made for the purpose, those that came about by chance are not needed. */
const noisePairsEnough = 20;
/** So many same answers prove a place to be steady, whatever its values look like. */
const steadyMin = 5;
/** So many of the baseline's own prove that only the candidate's differ. */
const ownSteadyMin = 20;
/** Where all but so few differences go one way, and not by chance as the odds say, they are one side's doing. */
const otherWayShareMax = 0.05;
const oneSidedLogE = Math.log(1_000);
const freshShareMin = 0.9;
const oddShareMax = 0.01;
const shapesMax = 16;
const wordingsMax = 8;
const hashesMax = 256;
/** A time this near to the capture is the present. */
const nowMs = 600_000;
/** A time to come is reckoned from the present when two answers to one request are no further apart. */
const answersApartMs = 60_000;
/** Of times that differ anyway a few are off by whole hours, and as many earlier as later: that is no time zone. */
const zoneShareMin = 0.05;
const otherZoneShareMax = 0.05;
/** Lengths seen, before a length can be out of their range. */
const lengthsMin = 30;

/** Pairs of an endpoint, by source. */
export interface PairTotals {
  candidate: number;
  noise: number;
  own: number;
  /** Noise pairs are of the candidate, sent twice: not of the baseline and a reference. */
  readonly noiseOfCandidate: boolean;
}

/** The request whose answers differ, as far as it says something about them. */
export interface RequestContext {
  timeUs: number;
  target: string;
  request: Buffer;
  safe: boolean;
}

export function classOf(kind: DifferenceKind): NoiseClass {
  return kind === 'missing' || kind === 'extra' ? 'presence' : kind;
}

const classIndexes = new Map<NoiseClass, number>(noiseClasses.map((name, index) => [name, index]));
const sourceIndexes: Readonly<Record<PairSource, number>> = { candidate: 0, noise: 1, own: 2 };
const classes = noiseClasses.length;

export class FieldProfile {
  readonly path: string;
  /** Pairs that differ, by source and class. */
  readonly #differ = new Uint32Array(3 * classes);
  /** The last pair counted there, so that a place with several differences counts once. */
  readonly #last = new Float64Array(3 * classes).fill(-1);
  /** Candidate pairs whose differences go one way or the other, by class; those of a pair may go both ways. */
  readonly #ways = [new Uint32Array(classes), new Uint32Array(classes)] as const;
  /** The last pair counted there. */
  readonly #lastWays = [new Float64Array(classes).fill(-1), new Float64Array(classes).fill(-1)] as const;
  #compared = 0;
  #fresh = 0;
  #times = 0;
  #repeated = 0;
  #echoed = 0;
  /** Hashes of the baseline's latest values. */
  readonly #hashes = new Set<number>();
  readonly #shapes = new Map<string, number>();
  readonly #wordings = new Set<string>();
  readonly #zones = { later: 0, earlier: 0 };
  #lengths = 0;
  #lengthMin = Infinity;
  #lengthMax = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Both answers of a candidate pair have a value here, whether or not it differs. */
  compare(): void {
    this.#compared++;
  }

  /** Learns from a difference of the pair with the number `serial`. */
  add(difference: Difference, source: PairSource, serial: number, context: RequestContext): void {
    const noiseClass = classOf(difference.kind);
    const classIndex = classIndexes.get(noiseClass) ?? 0;
    const index = sourceIndexes[source] * classes + classIndex;
    const isFirst = this.#last[index] !== serial;
    if (isFirst) {
      this.#last[index] = serial;
      this.#differ[index]++;
    }
    if (source === 'candidate') this.#countWay(wayOf(difference), classIndex, serial);
    if (noiseClass === 'value') this.#learnValue(difference, source, isFirst, context);
  }

  /** How many pairs of a source differ. */
  differ(noiseClass: NoiseClass, source: PairSource): number {
    return this.#differ[sourceIndexes[source] * classes + (classIndexes.get(noiseClass) ?? 0)];
  }

  /** Candidate pairs whose differences go one way, and the other, where the two mean something. */
  ways(noiseClass: NoiseClass): [one: number, other: number] {
    const index = classIndexes.get(noiseClass) ?? 0;
    return [this.#ways[0][index], this.#ways[1][index]];
  }

  /** Pairs of one version that differ here, and of how many; those on purpose alone where there are enough. */
  noise(noiseClass: NoiseClass, totals: PairTotals): { differ: number; pairs: number } {
    const differ = this.differ(noiseClass, 'noise');
    if (totals.noise >= noisePairsEnough) return { differ, pairs: totals.noise };
    return { differ: differ + this.differ(noiseClass, 'own'), pairs: totals.noise + totals.own };
  }

  /** Why differences of the class are noise here, in words; null when they are not. */
  noiseReason(noiseClass: NoiseClass, totals: PairTotals): string | null {
    const { differ, pairs } = this.noise(noiseClass, totals);
    // Of the pairs of one version about so many have the place.
    const having = pairs * Math.min(1, this.#compared / Math.max(1, totals.candidate));
    const isSteady = differ === 0 && having >= steadyMin;
    if (noiseClass === 'value' && !isSteady && this.#isFresh()) return 'is made anew for every answer';
    if (differ === 0 || (differ === 1 && pairs >= noisePairsEnough)) return null;
    return this.isOfCandidate(noiseClass, totals) ? null : `differs by itself in ${differ} of ${pairs} pairs`;
  }

  /** Whether it is the candidate alone that differs from itself. */
  isOfCandidate(noiseClass: NoiseClass, totals: PairTotals): boolean {
    const { noiseOfCandidate, own } = totals;
    if (noiseOfCandidate && own >= ownSteadyMin && this.differ(noiseClass, 'own') === 0) return true;
    // Two instances of one version may well have names of their own.
    return (noiseOfCandidate || noiseClass !== 'value') && this.#isOneSided(noiseClass);
  }

  /** Whether the baseline has values of the format, more than now and then. */
  hasShape(name: string): boolean {
    let total = 0;
    for (const count of this.#shapes.values()) total += count;
    return (this.#shapes.get(name) ?? 0) > 0.002 * total;
  }

  /** Whether a value is far shorter or longer than any of the baseline's; false as long as few are known. */
  isOutOfLengths(value: string): boolean {
    if (this.#lengths < lengthsMin) return false;
    return value.length * 2 < this.#lengthMin || value.length > 2 * this.#lengthMax + 8;
  }

  /** Whether values of the place are still few enough to be told apart: `A -> B` is one of the first such. */
  tellsApart(wording: string): boolean {
    if (this.#wordings.size < wordingsMax) this.#wordings.add(wording);
    return this.#wordings.has(wording);
  }

  /** A time of either version is off by what another zone could make of it. */
  countZone(zone: 'later' | 'earlier'): void {
    this.#zones[zone]++;
  }

  /** Whether so many pairs with times that are off by the same amount make it another zone, of a place that is noisy. */
  isZone(pairs: number): boolean {
    const { later, earlier } = this.#zones;
    if (Math.min(later, earlier) > otherZoneShareMax * (later + earlier)) return false;
    return pairs >= zoneShareMin * this.differ('value', 'candidate');
  }

  /** Adds what another profile knows of the same place. */
  merge(other: FieldProfile): void {
    for (let index = 0; index < this.#differ.length; index++) this.#differ[index] += other.#differ[index];
    for (const [way, counts] of this.#ways.entries()) {
      for (let index = 0; index < counts.length; index++) counts[index] += other.#ways[way][index];
    }
    this.#compared += other.#compared;
    this.#fresh += other.#fresh;
    this.#times += other.#times;
    this.#repeated += other.#repeated;
    this.#echoed += other.#echoed;
    for (const hash of other.#hashes) this.#remember(hash);
    for (const [name, count] of other.#shapes) this.#countShape(name, count);
    for (const zone of ['later', 'earlier'] as const) this.#zones[zone] += other.#zones[zone];
    this.#lengths += other.#lengths;
    this.#lengthMin = Math.min(this.#lengthMin, other.#lengthMin);
    this.#lengthMax = Math.max(this.#lengthMax, other.#lengthMax);
  }

  /** By a mixture over all shares of one way, against both ways being as likely. */
  #isOneSided(noiseClass: NoiseClass): boolean {
    const [one, other] = this.ways(noiseClass);
    if (Math.min(one, other) > otherWayShareMax * (one + other)) return false;
    return logBeta(one + 1, other + 1) + (one + other) * Math.LN2 >= oneSidedLogE;
  }

  #countWay(way: number, classIndex: number, serial: number): void {
    const side = way > 0 ? 1 : 0;
    if (way === 0 || this.#lastWays[side][classIndex] === serial) return;
    this.#lastWays[side][classIndex] = serial;
    this.#ways[side][classIndex]++;
  }

  #learnValue(difference: Difference, source: PairSource, isFirst: boolean, context: RequestContext): void {
    // Both may be the candidate's, which says nothing about the baseline.
    if (source === 'noise') return;
    const value = difference.baseline ?? '';
    const shape = shapeOf(value, difference.baselineType);
    this.#countShape(shape.name, 1);
    this.#lengths++;
    this.#lengthMin = Math.min(this.#lengthMin, value.length);
    this.#lengthMax = Math.max(this.#lengthMax, value.length);
    if (source !== 'candidate' || !isFirst) return;
    const hash = hashOf(value);
    if (this.#hashes.has(hash)) this.#repeated++;
    else this.#remember(hash);
    const other = shapeOf(difference.candidate ?? '', difference.candidateType);
    if (isOfTheAnswer(shape, other, context)) this.#times++;
    if (!looksFresh(shape, other, this.path, context)) return;
    this.#fresh++;
    if (value.length >= 4 && (context.target.includes(value) || context.request.includes(value))) this.#echoed++;
  }

  #isFresh(): boolean {
    const differ = this.differ('value', 'candidate');
    // Two answers within a second have the same time in seconds, and so have two requests.
    if (differ > 0 && this.#times >= freshShareMin * differ) return true;
    const compared = Math.max(this.#compared, differ);
    return (
      compared > 0 &&
      this.#fresh >= freshShareMin * compared &&
      this.#repeated <= oddShareMax * compared &&
      this.#echoed <= oddShareMax * compared
    );
  }

  #remember(hash: number): void {
    this.#hashes.add(hash);
    if (this.#hashes.size <= hashesMax) return;
    for (const oldest of this.#hashes) {
      this.#hashes.delete(oldest);
      return;
    }
  }

  #countShape(name: string, count: number): void {
    const known = this.#shapes.get(name);
    if (known !== undefined || this.#shapes.size < shapesMax) this.#shapes.set(name, (known ?? 0) + count);
  }
}

/**
 * 1 or -1, the other way round when the two answers are: 0 where that means nothing. Values that are numbers or times may
 * well grow from one answer to the next.
 */
function wayOf({ kind, baseline, candidate, baselineType, candidateType }: Difference): number {
  if (kind === 'missing') return 1;
  if (kind === 'extra') return -1;
  if (kind === 'order' || kind === 'length') return 0;
  if (kind === 'type' && baselineType !== candidateType) return (baselineType ?? '') < (candidateType ?? '') ? 1 : -1;
  if (kind === 'value' && !(isName(baseline, baselineType) && isName(candidate, candidateType))) return 0;
  return (baseline ?? '') < (candidate ?? '') ? 1 : -1;
}

/** One of a few values: `true`, `ACTIVE`. */
function isName(value: string | null, type: string | null): boolean {
  return type === 'boolean' || shapeOf(value, type).name === 'word';
}

/** Whether a time is that of the answer, or reckoned from it, such as when something ends. */
function isOfTheAnswer(baseline: Shape, candidate: Shape, { timeUs }: RequestContext): boolean {
  if (baseline.timeMs === null || candidate.timeMs === null || !baseline.fresh) return false;
  const ahead = baseline.timeMs - timeUs / 1_000;
  return Math.abs(ahead) <= nowMs || (ahead > 0 && Math.abs(candidate.timeMs - baseline.timeMs) <= answersApartMs);
}

/** Whether two values that differ are of a kind that is made for the answer; times are looked at by themselves. */
function looksFresh(baseline: Shape, candidate: Shape, path: string, { safe }: RequestContext): boolean {
  if (baseline.timeMs !== null) return false;
  if (baseline.fresh) {
    const isAlike = candidate.name === baseline.name || candidate.format === 'token' || baseline.format === 'token';
    return candidate.fresh && isAlike;
  }
  if (safe || baseline.name !== candidate.name) return false;
  // What was made by the request has a number of its own.
  const isNumber = baseline.format === 'integer' && /(?:^|[._:'])(?:id|[a-z_]*_id|[A-Za-z]*Id|number|no|seq(?:uence)?)$/.test(path);
  return isNumber || (baseline.format === 'url' && baseline.name.includes('{id}'));
}

/** FNV-1a over UTF-16 code units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
