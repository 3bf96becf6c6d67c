/**
 * Bytes made out of others: what stays is copied, ranges are replaced, from left to right. Nothing is made before
 * something is replaced.
 */
const EMPTY: Buffer = Buffer.alloc(0);
/** What is written beyond the length of the source before there has to be more room. */
const SLACK_BYTES = 128;
/** Below this, a loop is cheaper than a native call. */
const LOOP_BYTES_MAX = 128;

export class EditedBytes {
  #source: Buffer = EMPTY;
  #out: Buffer = EMPTY;
  #length = 0;
  /** Where in the source goes on what is not copied yet. */
  #copied = 0;

  begin(source: Buffer): void {
    this.#source = source;
    this.#length = 0;
    this.#copied = 0;
  }

  /** Puts text, in UTF-8, in place of `[start, end)`, which lies behind all that was replaced before. */
  replace(start: number, end: number, text: string): void {
    const { length } = text;
    // A UTF-16 unit takes at most three bytes.
    this.#reserve(start - this.#copied + length * 3);
    this.#copy(start);
    const out = this.#out;
    let at = this.#length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        at = this.#length + out.write(text, this.#length);
        break;
      }
      out[at++] = code;
    }
    this.#length = at;
    this.#copied = end;
  }

  /** What has become of the source: itself when nothing was replaced. Keeps neither. */
  finish(): Buffer {
    const source = this.#source;
    let made = source;
    if (this.#copied > 0) {
      this.#reserve(source.length - this.#copied);
      this.#copy(source.length);
      made = this.#out.subarray(0, this.#length);
    }
    this.#source = this.#out = EMPTY;
    return made;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#out.length) return;
    const roomy = Buffer.allocUnsafe(Math.max(this.#source.length + SLACK_BYTES, 2 * this.#out.length, needed));
    this.#out.copy(roomy, 0, 0, this.#length);
    this.#out = roomy;
  }

  #copy(end: number): void {
    const source = this.#source;
    const out = this.#out;
    let at = this.#length;
    if (end - this.#copied > LOOP_BYTES_MAX) at += source.copy(out, at, this.#copied, end);
    else for (let from = this.#copied; from < end; from++) out[at++] = source[from];
    this.#length = at;
  }
}
