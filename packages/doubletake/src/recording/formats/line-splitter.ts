/** Cuts blocks into lines, without their line ends. Pure. */

/** Null for a line beyond the bound, of which nothing is kept. */
export type LineHandler = (line: Buffer | null) => void;

const lf = 0x0a;
const cr = 0x0d;

export class LineSplitter {
  readonly #bytesMax: number;
  #held: Buffer = Buffer.alloc(0);
  #tooLong = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(block: Buffer, handle: LineHandler): void {
    let from = 0;
    for (let at = block.indexOf(lf); at >= 0; at = block.indexOf(lf, from)) {
      this.#hold(block.subarray(from, at));
      this.#end(handle);
      from = at + 1;
    }
    this.#hold(block.subarray(from));
  }

  /** The last line need not have an end. */
  flush(handle: LineHandler): void {
    if (this.#held.length > 0 || this.#tooLong) this.#end(handle);
  }

  #hold(bytes: Buffer): void {
    if (this.#tooLong || bytes.length === 0) return;
    if (this.#held.length + bytes.length > this.#bytesMax) {
      this.#tooLong = true;
      this.#held = Buffer.alloc(0);
    } else this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
  }

  #end(handle: LineHandler): void {
    const line = this.#held;
    if (this.#tooLong) handle(null);
    else handle(line[line.length - 1] === cr ? line.subarray(0, -1) : line);
    this.#held = Buffer.alloc(0);
    this.#tooLong = false;
  }
}
