/**
 * Which pairs are kept. All at first; each time that `step` of a sort are kept, the share kept of that sort halves, so
 * that what is kept grows with the logarithm of what is seen. Equal pairs are one sort, those that differ are of the
 * sorts of their clusters, and the rarest counts: a new cluster is kept whole.
 *
 * A kept pair stands for `1 / share` pairs: sums over the weights are unbiased (Horvitz and Thompson, 1952). The choice
 * hangs on the pair's id alone, so that the same run keeps the same pairs.
 */

export interface RetentionLimits {
  /** Equal pairs kept at each share. */
  equalPairs: number;
  /** Pairs that differ kept of each cluster at each share. */
  pairsPerCluster: number;
  /** Clusters told apart; what comes after them shares one sort. */
  clustersMax: number;
}

interface Sort {
  share: number;
  kept: number;
  step: number;
}

export class Retention {
  readonly #limits: RetentionLimits;
  readonly #equal: Sort;
  readonly #others: Sort;
  readonly #clusters = new Map<string, Sort>();

  constructor(limits: RetentionLimits) {
    this.#limits = limits;
    this.#equal = { share: 1, kept: 0, step: limits.equalPairs };
    this.#others = { share: 1, kept: 0, step: limits.pairsPerCluster };
  }

  /** How many pairs like it a pair stands for when it is kept, at least 1; null when it is not. */
  weigh(id: string, differs: boolean, clusters: readonly string[]): number | null {
    const sorts = differs ? this.#sortsOf(clusters) : [this.#equal];
    const share = Math.max(...sorts.map((sort) => sort.share));
    if (place(id) >= share) return null;
    for (const sort of sorts) {
      sort.kept++;
      if (sort.kept % sort.step === 0) sort.share /= 2;
    }
    return 1 / share;
  }

  #sortsOf(clusters: readonly string[]): Sort[] {
    if (clusters.length === 0) return [this.#others];
    return clusters.map((cluster) => {
      const known = this.#clusters.get(cluster);
      if (known !== undefined) return known;
      if (this.#clusters.size >= this.#limits.clustersMax) return this.#others;
      const sort = { share: 1, kept: 0, step: this.#limits.pairsPerCluster };
      this.#clusters.set(cluster, sort);
      return sort;
    });
  }
}

/** Where an id falls in [0, 1): FNV-1a, and the finalizer of MurmurHash3, without which near ids fall close together. */
function place(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
