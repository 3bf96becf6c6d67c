/** A head with pieces of it replaced: a head in its own right, scanned again. */
import { MessageHead } from './head.ts';
import { HeadScan, HeadScanner } from './head-scanner.ts';

/** Replaces `bytes[start..end)` of the head by `text` (latin1). */
export interface HeadEdit {
  start: number;
  end: number;
  text: string;
}

export class HeadEditor {
  readonly #scanner = new HeadScanner();

  /** A request head after `edits`, which must not overlap; null when what comes out is no head. */
  edit(head: MessageHead, edits: readonly HeadEdit[]): MessageHead | null {
    const source = head.bytes.toString('latin1');
    let out = '';
    let copied = 0;
    for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
      out += source.slice(copied, start) + text;
      copied = end;
    }
    const bytes = Buffer.from(out + source.slice(copied), 'latin1');
    const found = this.#scanner.scan('request', bytes, 0, bytes.length, false);
    return found === HeadScan.complete && this.#scanner.headEnd === bytes.length ? new MessageHead(bytes, this.#scanner, 0) : null;
  }
}
