/**
 * Pairs on their way from a worker to the analysis thread: all their bytes in one buffer, which is handed over and not
 * copied. (A small `Buffer` is a part of a large one that it shares with others, and would be copied with all of it.)
 */
import type { Answer, Pair } from '../compare/pair.ts';

/** A pair of a request that may be sent twice. */
export interface SampledPair extends Pair {
  /** Its endpoint, as `NoiseSampling` knows it; null where requests like it are never sent twice. */
  noiseKey: string | null;
}

/** Where bytes lie in the batch's buffer; null for none. */
type Range = readonly [start: number, end: number] | null;

type PackedAnswer = Omit<Answer, 'body'> & { body: Range };
type PackedPair = Omit<SampledPair, 'request' | 'baseline' | 'candidate'> & {
  request: Range;
  baseline: PackedAnswer;
  candidate: PackedAnswer;
};

export interface PairBatch {
  pairs: readonly PackedPair[];
  bytes: ArrayBuffer;
  /** Requests that are not compared, by reason, since the last batch. */
  excluded: Readonly<Record<string, number>>;
}

/** Bytes that a pair brings into a batch. */
export function bytesOfPair({ request, baseline, candidate }: Pair): number {
  return request.length + (baseline.body?.length ?? 0) + (candidate.body?.length ?? 0);
}

export function packPairs(pairs: readonly SampledPair[], excluded: Readonly<Record<string, number>>): PairBatch {
  const bytes = new ArrayBuffer(pairs.reduce((sum, pair) => sum + bytesOfPair(pair), 0));
  const all = Buffer.from(bytes);
  let end = 0;
  const put = (piece: Buffer | null): Range => {
    if (piece === null) return null;
    const start = end;
    end += piece.copy(all, start);
    return [start, end];
  };
  const packed = pairs.map((pair) => ({
    ...pair,
    request: put(pair.request),
    baseline: { ...pair.baseline, body: put(pair.baseline.body) },
    candidate: { ...pair.candidate, body: put(pair.candidate.body) },
  }));
  return { pairs: packed, bytes, excluded };
}

export function unpackPairs({ pairs, bytes }: PairBatch): SampledPair[] {
  const all = Buffer.from(bytes);
  const get = (range: Range): Buffer | null => (range === null ? null : all.subarray(range[0], range[1]));
  return pairs.map((pair) => ({
    ...pair,
    request: get(pair.request) ?? Buffer.alloc(0),
    baseline: { ...pair.baseline, body: get(pair.baseline.body) },
    candidate: { ...pair.candidate, body: get(pair.candidate.body) },
  }));
}
