/**
 * Finds the entries in a HAR file without reading it as a whole: the elements of the array `log.entries`, by brackets and
 * strings alone, so that one entry that is broken within does not take the others along. Pure: blocks in, entries out.
 */

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

/** Depth of the elements: within the file's object, `log`, and `entries`. */
const entriesDepth = 3;

const keyCharsMax = 64;

/** An entry longer than the bound comes as null. */
export type EntryHandler = (bytes: Buffer | null, offset: number) => void;

export class HarSplitter {
  readonly #bytesMax: number;
  #offset = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Of the string that is read, as far as it matters as a key. */
  #text: number[] = [];
  #key = '';
  /** The names under which the open objects and arrays stand. */
  readonly #path: string[] = [];
  #inEntries = false;
  #entryStart = -1;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #found = false;

  /** Entries beyond `bytesMax` are let go. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `log.entries` was there. */
  get found(): boolean {
    return this.#found;
  }

  /** The file may end here. */
  get whole(): boolean {
    return this.#depth === 0 && !this.#inString;
  }

  push(block: Buffer, entry: EntryHandler): void {
    let from = this.#entryStart >= 0 ? 0 : -1;
    for (let at = 0; at < block.length; at++) {
      const byte = block[at] ?? 0;
      if (this.#inString) {
        this.#string(byte);
        continue;
      }
      switch (byte) {
        case quote:
          this.#inString = true;
          this.#text = [];
          break;
        case openBrace:
        case openBracket:
          if (this.#inEntries && this.#depth === entriesDepth) {
            this.#entryStart = this.#offset + at;
            from = at;
          }
          this.#open(byte);
          break;
        case closeBrace:
        case closeBracket:
          this.#close();
          if (this.#entryStart >= 0 && this.#depth === entriesDepth) {
            this.#hold(block.subarray(from, at + 1));
            const tooLong = this.#heldBytes > this.#bytesMax;
            entry(tooLong ? null : Buffer.concat(this.#held), this.#entryStart);
            this.#held = [];
            this.#heldBytes = 0;
            this.#entryStart = from = -1;
          }
          break;
        case colon:
          this.#key = String.fromCharCode(...this.#text);
          break;
        case comma:
          this.#key = '';
      }
    }
    if (from >= 0) this.#hold(block.subarray(from));
    this.#offset += block.length;
  }

  #string(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) this.#inString = false;
    if (this.#inString && this.#text.length < keyCharsMax && this.#depth < entriesDepth) this.#text.push(byte);
  }

  #open(byte: number): void {
    this.#depth++;
    if (this.#depth > entriesDepth) return;
    this.#path.push(this.#key);
    this.#key = '';
    this.#inEntries = byte === openBracket && this.#path.join('/') === '/log/entries';
    this.#found ||= this.#inEntries;
  }

  #close(): void {
    if (this.#depth === 0) return;
    if (this.#depth <= entriesDepth) {
      this.#path.pop();
      this.#inEntries = false;
    }
    this.#depth--;
  }

  #hold(bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= this.#bytesMax) this.#held.push(bytes);
    else this.#held = [];
  }
}
