/** The latest pairs with their messages, bounded in bytes and number: those that differ, and the others, apart. */
import type { Answer, Pair } from '../compare/pair.ts';
import type { KeptPair } from '../store/run-queries.ts';
import type { JudgedPair } from '../store/rows.ts';
import { bytesOfPair } from './pair-batch.ts';

/** Of each of the two sorts. */
const bytesMax = 32 * 1_048_576;
const pairsMax = 10_000;
/** What a pair takes beside its messages, roughly. */
const pairBytes = 2_000;

export class RecentPairs {
  readonly #bytesMax: number;
  readonly #sorts = { differing: new Map<string, JudgedPair>(), equal: new Map<string, JudgedPair>() };
  readonly #bytes = { differing: 0, equal: 0 };

  constructor(max = bytesMax) {
    this.#bytesMax = max;
  }

  /** Pairs of one version are left out. */
  push(judged: JudgedPair): void {
    const { pair, differences } = judged;
    if (pair.kind !== 'candidate') return;
    const sort = differences.length > 0 ? 'differing' : 'equal';
    const kept = this.#sorts[sort];
    kept.set(pair.id, { ...judged, pair: standingAlone(pair) });
    this.#bytes[sort] += bytesOf(judged);
    for (const [id, oldest] of kept) {
      if (this.#bytes[sort] <= this.#bytesMax && kept.size <= pairsMax) break;
      kept.delete(id);
      this.#bytes[sort] -= bytesOf(oldest);
    }
  }

  get(id: string): KeptPair | null {
    const judged = this.#sorts.differing.get(id) ?? this.#sorts.equal.get(id);
    return judged === undefined ? null : keptPair(judged);
  }

  *[Symbol.iterator](): Generator<JudgedPair> {
    yield* this.#sorts.differing.values();
    yield* this.#sorts.equal.values();
  }
}

function keptPair(judged: JudgedPair): KeptPair {
  const { request, baseline, candidate } = judged.pair;
  const isCut = [baseline, candidate].some(({ body, bodyBytes }) => (body?.length ?? 0) < bodyBytes);
  return { ...judged, messages: isCut || request.length === 0 ? 'cut' : 'whole' };
}

/** With bytes of its own: those of a batch are one buffer, which would stay as long as any pair of it does. */
function standingAlone(pair: Pair): Pair {
  const bytes = Buffer.from(new ArrayBuffer(bytesOfPair(pair)));
  let end = 0;
  const own = (piece: Buffer): Buffer => {
    const start = end;
    end += piece.copy(bytes, start);
    return bytes.subarray(start, end);
  };
  const answer = (of: Answer): Answer => ({ ...of, body: of.body === null ? null : own(of.body) });
  return { ...pair, request: own(pair.request), baseline: answer(pair.baseline), candidate: answer(pair.candidate) };
}

function bytesOf({ pair }: JudgedPair): number {
  const { target, baseline, candidate } = pair;
  const headers = [...baseline.headers, ...candidate.headers].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return pairBytes + target.length + headers + bytesOfPair(pair);
}
