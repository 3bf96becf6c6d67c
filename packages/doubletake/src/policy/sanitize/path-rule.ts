/** A path pattern whose `{}` segments are to be treated: `/users/{}/orders/**`. `*` is any segment, `**` any rest. */
export class PathRule {
  readonly #segments: readonly string[];

  constructor(pattern: string) {
    this.#segments = pattern.split('/');
  }

  /** For each segment of a path (split at `/`) whether it is meant; null when the pattern does not fit. */
  match(path: readonly string[]): boolean[] | null {
    const marked: boolean[] = [];
    for (let index = 0; index < this.#segments.length; index++) {
      const wanted = this.#segments[index];
      if (wanted === '**') return marked;
      if (index >= path.length) return null;
      if (wanted !== '{}' && wanted !== '*' && wanted !== path[index]) return null;
      marked[index] = wanted === '{}';
    }
    return path.length === this.#segments.length ? marked : null;
  }
}
