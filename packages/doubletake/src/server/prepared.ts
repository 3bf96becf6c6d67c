/**
 * Answers made once for all pages that ask for them: what is derived from a comparison stays the same until there is a
 * newer one.
 */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);

/** Different questions about one comparison. */
const answersMax = 8;

/** JSON ready to be sent. */
export class PreparedJson {
  readonly plain: Buffer;
  #gzipped: Promise<Buffer> | null = null;

  constructor(value: object) {
    this.plain = Buffer.from(JSON.stringify(value));
  }

  /** Compressed, once. */
  gzipped(): Promise<Buffer> {
    this.#gzipped ??= gzipAsync(this.plain, { level: constants.Z_BEST_SPEED });
    return this.#gzipped;
  }
}

export class PreparedAnswers {
  #of: object | null = null;
  readonly #answers = new Map<string, PreparedJson>();

  /** What `make` makes of `source`, which never changes, under the name `key`. */
  answer<Source extends object>(source: Source, key: string, make: (source: Source) => object): PreparedJson {
    if (source !== this.#of) this.#answers.clear();
    this.#of = source;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const made = new PreparedJson(make(source));
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= answersMax && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(key, made);
    return made;
  }
}
