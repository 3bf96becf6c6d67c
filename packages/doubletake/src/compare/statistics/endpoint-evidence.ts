/**
 * The tests against noise of one endpoint: one for its pairs as a whole, one for each field that ever differed. Pairs
 * are gathered into blocks that end by how many came, never by what differed in them (see DiscordanceTest).
 *
 * A field that has not differed yet has no state of its own. All such fields have the same past, so one silent test
 * stands for them, and a field that differs for the first time goes on from a copy of it.
 */
import type { PairKind } from '../pair.ts';
import { DiscordanceTest, type PairCounts } from './discordance-test.ts';
import { shareAboveLogE } from './share.ts';

/** A block ends after an eighth of the pairs so far, within these bounds: short while little is known. */
const blockPairsMin = 8;
const blockPairsMax = 64;
const blocksSoFar = 8;

/** After so many pairs without a noise pair an endpoint is one of which no request is sent twice. */
const pairsWithoutNoise = 200;

/** The field that stands for all that found no room. */
export const OTHER_FIELDS = 'other';

/** How many fields may have tests, all endpoints together: they take from it until it is empty. */
export interface FieldRoom {
  left: number;
}

export interface EvidenceOptions {
  /** Share of an endpoint's pairs by which it may differ more often than noise: the policy's `maxMismatch`. */
  allowed: number;
  /** The same for each field. */
  allowedOfField: number;
  /**
   * Noise pairs are to be expected: the tests wait for them. Where they are not, or where many pairs of an endpoint came
   * without any, it is tested whether more pairs differ than the policy allows; what differs counts as no noise.
   */
  expectsNoise: boolean;
  room: FieldRoom;
}

export interface FieldEvidence {
  path: string;
  /**
   * Logarithm of the e-value against 'differs no more often than noise and what is allowed of a field'; where there is
   * no noise to hold it against, against 'differs in no more pairs than is allowed of the endpoint'.
   */
  logE: number;
  counts: PairCounts;
}

interface Tracked {
  readonly test: DiscordanceTest;
  /** In the block that has not ended. */
  candidateDiffer: number;
  noiseDiffer: number;
  /** Number of the pair that was counted last. */
  lastPair: number;
}

export class EndpointEvidence {
  readonly #room: FieldRoom;
  readonly #allowed: number;
  readonly #expectsNoise: boolean;
  readonly #silent: DiscordanceTest;
  readonly #whole: Tracked;
  readonly #fields = new Map<string, Tracked>();
  /** What `wantsNoise` said since the last block; null when it was not asked. */
  #wantsNoise: boolean | null = null;
  #pair = 0;
  #candidatePairs = 0;
  #noisePairs = 0;
  #blockCandidatePairs = 0;
  #blockNoisePairs = 0;

  constructor(options: Readonly<EvidenceOptions>) {
    this.#room = options.room;
    this.#allowed = options.allowed;
    this.#expectsNoise = options.expectsNoise;
    this.#silent = new DiscordanceTest(options.allowedOfField);
    this.#whole = tracked(new DiscordanceTest(options.allowed));
  }

  /** A pair was compared: whether it is a mismatch, and the paths at which it differs, in any order. */
  push(kind: PairKind, mismatch: boolean, paths: Iterable<string>): void {
    this.#pair++;
    if (mismatch) this.#count(this.#whole, kind);
    for (const path of paths) this.#count(this.#field(path), kind);
    if (kind === 'noise') {
      this.#noisePairs++;
      this.#blockNoisePairs++;
    } else {
      this.#candidatePairs++;
      this.#blockCandidatePairs++;
    }
    const wanted = Math.min(blockPairsMax, Math.max(blockPairsMin, this.#candidatePairs / blocksSoFar));
    if (this.#blockCandidatePairs >= wanted && this.#blockNoisePairs > 0) this.#endBlock();
  }

  /** Gives back the room of its fields; to be called when it is used no more. */
  release(): void {
    this.#room.left += this.#fields.size;
  }

  /** The endpoint's mismatches, as `EndpointFacts` has them. */
  get mismatch(): { counts: PairCounts; noiseLogE: number | null } {
    return { counts: this.#countsOf(this.#whole), noiseLogE: this.#isWithoutNoise ? null : this.#whole.test.logE };
  }

  /** The fields that differed in some pair. */
  fields(): FieldEvidence[] {
    return Array.from(this.#fields, ([path, field]) => {
      const counts = this.#countsOf(field);
      const { candidateDiffer, candidatePairs } = counts;
      const logE = this.#isWithoutNoise ? shareAboveLogE(candidateDiffer, candidatePairs, this.#allowed) : field.test.logE;
      return { path, logE, counts };
    });
  }

  /**
   * More noise pairs would settle something: a field, or the endpoint, seems to differ more often than noise and it is
   * not known yet that it does. A good time to send more of the endpoint's requests twice. The tests permit that, since
   * the answer stays until a block ends, and before the first noise pair nothing is tested. Cheap enough for every pair.
   */
  wantsNoise(logENeeded: number): boolean {
    if (this.#noisePairs === 0) return this.#fields.size > 0 || this.#whole.candidateDiffer > 0;
    this.#wantsNoise ??= [this.#whole, ...this.#fields.values()].some(({ test }) => test.wantsNoise(logENeeded));
    return this.#wantsNoise;
  }

  get #isWithoutNoise(): boolean {
    return this.#noisePairs === 0 && (!this.#expectsNoise || this.#candidatePairs >= pairsWithoutNoise);
  }

  /** Of all pairs, also of those in the block that has not ended. */
  #countsOf({ test, candidateDiffer, noiseDiffer }: Tracked): PairCounts {
    const ended = test.counts;
    return {
      candidatePairs: this.#candidatePairs,
      candidateDiffer: ended.candidateDiffer + candidateDiffer,
      noisePairs: this.#noisePairs,
      noiseDiffer: ended.noiseDiffer + noiseDiffer,
    };
  }

  #field(path: string): Tracked {
    const known = this.#fields.get(path);
    if (known !== undefined) return known;
    if (this.#room.left <= 0 && path !== OTHER_FIELDS) return this.#field(OTHER_FIELDS);
    this.#room.left--;
    const field = tracked(this.#silent.copy());
    this.#fields.set(path, field);
    return field;
  }

  #count(field: Tracked, kind: PairKind): void {
    if (field.lastPair === this.#pair) return;
    field.lastPair = this.#pair;
    if (kind === 'noise') field.noiseDiffer++;
    else field.candidateDiffer++;
  }

  #endBlock(): void {
    const pairs = { candidatePairs: this.#blockCandidatePairs, noisePairs: this.#blockNoisePairs };
    this.#silent.push({ ...pairs, candidateDiffer: 0, noiseDiffer: 0 });
    for (const field of [this.#whole, ...this.#fields.values()]) {
      field.test.push({ ...pairs, candidateDiffer: field.candidateDiffer, noiseDiffer: field.noiseDiffer });
      field.candidateDiffer = 0;
      field.noiseDiffer = 0;
    }
    this.#blockCandidatePairs = 0;
    this.#blockNoisePairs = 0;
    this.#wantsNoise = null;
  }
}

function tracked(test: DiscordanceTest): Tracked {
  return { test, candidateDiffer: 0, noiseDiffer: 0, lastPair: 0 };
}
