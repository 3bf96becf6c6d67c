/**
 * Compares bodies: as bytes first, for most are the same; then by what they are. What cannot be looked into is compared
 * by length and hash, unless it has a content coding: the same content may be coded in many ways.
 */
import { type Content, decodeText, fieldValues, openContent, sniffedKind, type Unopened } from '../content/content.ts';
import { parseJson, parseJsonLines } from '../content/json.ts';
import type { JsonDocument, NotJson } from '../content/json-values.ts';
import type { ContentKind } from '../content/media-type.ts';
import { parseMarkup } from '../content/markup.ts';
import type { Answer } from '../pair.ts';
import { type Collector, type Shown, textShown } from './collector.ts';
import { JsonDiff } from './json-diff.ts';
import { MarkupDiff } from './markup-diff.ts';
import { BODY_BYTES_MAX, type DiffOptions } from './options.ts';
import type { PathTree } from './path-tree.ts';
import { compareFingerprints, compareForms, compareText, type Fingerprint, fingerprintOf } from './plain-diffs.ts';

const LIKE_JSON = /^\s*[[{]/;

export class Bodies {
  readonly #paths: PathTree;
  readonly #bytesMax: number;
  readonly #hasRules: boolean;

  constructor(paths: PathTree, options: DiffOptions) {
    this.#paths = paths;
    this.#bytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX;
    this.#hasRules = options.rules !== undefined;
  }

  compare(baseline: Answer, candidate: Answer, out: Collector): void {
    const [a, b] = [baseline.body, candidate.body];
    if (baseline.bodyBytes === 0 || candidate.bodyBytes === 0) {
      this.#empty(baseline, candidate, out);
    } else if (a === null || b === null) {
      out.limit('too_large');
      this.#unopened(baseline, candidate, out);
    } else if (!a.equals(b)) {
      this.#open(baseline, a, candidate, b, out);
    }
  }

  #empty(baseline: Answer, candidate: Answer, out: Collector): void {
    if (baseline.bodyBytes === candidate.bodyBytes) return;
    const node = this.#paths.root('body');
    const [from, to] = [baseline, candidate].map(({ bodyBytes }) =>
      bodyBytes === 0 ? null : { text: `${bodyBytes} bytes`, type: 'bytes' },
    );
    out.add(to === null ? 'missing' : 'extra', node, 'body', from, to);
  }

  /** Bodies of which one at least is only known by its length and hash. */
  #unopened(baseline: Answer, candidate: Answer, out: Collector): void {
    const [a, b] = [baseline, candidate].map(fingerprintOfAnswer);
    const coded = [baseline, candidate].some((answer) => fieldValues(answer, 'content-encoding').length > 0);
    if (a !== null && b !== null && !coded) compareFingerprints(a, b, this.#paths, out);
  }

  #open(baseline: Answer, a: Buffer, candidate: Answer, b: Buffer, out: Collector): void {
    const left = openContent(baseline, a, this.#bytesMax);
    const right = openContent(candidate, b, this.#bytesMax);
    if (typeof left !== 'string' && typeof right !== 'string') {
      if (!left.bytes.equals(right.bytes)) this.#contents(left, right, out);
      return;
    }
    for (const opened of [left, right]) if (typeof opened === 'string') out.limit(opened);
    if (left === 'too_large' && right === 'too_large') {
      this.#unopened(baseline, candidate, out);
    } else if (left === right) {
      compareFingerprints(fingerprintOf(a), fingerprintOf(b), this.#paths, out);
    } else if (left === 'too_large' || right === 'too_large') {
      const [from, to] = [left, right].map((opened) => this.#lengthShown(opened));
      out.add('length', this.#paths.root('body'), 'body', from, to);
    } else {
      this.#malformed(typeof left === 'string' ? left : null, typeof right === 'string' ? right : null, out);
    }
  }

  #lengthShown(opened: Content | Unopened): Shown {
    if (typeof opened !== 'string') return { text: `${opened.bytes.length} bytes`, type: 'bytes' };
    return { text: opened === 'too_large' ? `more than ${this.#bytesMax} bytes` : opened.replaceAll('_', ' '), type: 'bytes' };
  }

  #contents(a: Content, b: Content, out: Collector): void {
    const [left, right] = kindsOf(a, b);
    if (left !== right) {
      const node = this.#paths.root('body');
      out.add('type', node, 'body', { text: left, type: left }, { text: right, type: right });
      return;
    }
    const [text, other] = left === 'binary' ? [null, null] : [decodeText(a), decodeText(b)];
    if (text === null || other === null) {
      if (left !== 'binary') out.limit('unknown_charset');
      compareFingerprints(fingerprintOf(a.bytes), fingerprintOf(b.bytes), this.#paths, out);
      return;
    }
    this.#flaws(text.valid ? [] : ['invalid_characters'], other.valid ? [] : ['invalid_characters'], out);
    // What stands for broken characters is the same on both sides, the bytes are not.
    const broken = !text.valid && !other.valid;
    const [from, to] = broken ? [a, b].map(({ bytes }) => bytes.toString('latin1')) : [text.text, other.text];
    this.#texts(left, from, to, out);
  }

  #texts(kind: ContentKind, a: string, b: string, out: Collector): void {
    switch (kind) {
      case 'json':
        this.#json(a, b, parseJson, out);
        break;
      case 'json-lines':
        this.#json(a, b, parseJsonLines, out);
        break;
      case 'xml':
      case 'html':
        this.#markup(kind, a, b, out);
        break;
      case 'form':
        compareForms(a, b, this.#paths, out);
        break;
      default:
        this.#plain(a, b, out);
    }
  }

  /** JSON is often given out as plain text; text that only begins like it stays text. */
  #plain(a: string, b: string, out: Collector): void {
    const left = LIKE_JSON.test(a) && LIKE_JSON.test(b) ? parseJson(a, null) : null;
    const right = left === null || 'at' in left ? null : parseJson(b, left);
    if (left === null || right === null || 'at' in left || 'at' in right) compareText(a, b, this.#paths, out);
    else this.#documents(left, right, out);
  }

  #json(a: string, b: string, parse: (text: string, earlier: JsonDocument | null) => JsonDocument | NotJson, out: Collector): void {
    const left = parse(a, null);
    const right = parse(b, 'at' in left ? null : left);
    if ('at' in left || 'at' in right) {
      const [from, to] = [left, right].map((read) => ('at' in read ? `not JSON from character ${read.at + 1} on` : null));
      if (from === null || to === null) {
        this.#malformed(from, to, out);
      } else {
        out.limit('malformed');
        compareText(a, b, this.#paths, out);
      }
      return;
    }
    this.#documents(left, right, out);
  }

  #documents(left: JsonDocument, right: JsonDocument, out: Collector): void {
    this.#flaws(left.flaws, right.flaws, out);
    new JsonDiff(out, this.#hasRules).compare(left.value, right.value, this.#paths.root('$'));
  }

  #markup(kind: 'xml' | 'html', a: string, b: string, out: Collector): void {
    const [left, right] = [a, b].map((text) => parseMarkup(text, kind === 'html'));
    const [flaws, others] = [left, right].map(({ wellFormed, tooDeep }) => [
      ...(wellFormed ? [] : ['not_well_formed']),
      ...(tooDeep ? ['too_deep'] : []),
    ]);
    this.#flaws(flaws, others, out);
    new MarkupDiff(out, `${kind}:`).compare(left.root, right.root, this.#paths.root(`${kind}:`));
  }

  /** What is wrong with one side alone is a difference; what is wrong with both limits what can be said. */
  #flaws(a: readonly string[], b: readonly string[], out: Collector): void {
    if (a.length === 0 && b.length === 0) return;
    const [left, right] = [a.filter((flaw) => !b.includes(flaw)), b.filter((flaw) => !a.includes(flaw))];
    const [first] = [...a, ...b];
    out.limit(first);
    if (left.length + right.length === 0) return;
    this.#malformed(left.length > 0 ? left.join(', ') : null, right.length > 0 ? right.join(', ') : null, out);
  }

  #malformed(baseline: string | null, candidate: string | null, out: Collector): void {
    const show = (reason: string | null): Shown | null => (reason === null ? null : textShown(reason.replaceAll('_', ' ')));
    out.add('malformed', this.#paths.root('body'), 'body', show(baseline), show(candidate));
  }
}

/** How both are to be compared. One that only says that it is text or bytes is looked at. */
function kindsOf(a: Content, b: Content): [ContentKind, ContentKind] {
  if (a.kind === b.kind) return [a.kind, b.kind];
  const look = ({ kind, bytes }: Content): ContentKind => (kind === 'text' || kind === 'binary' ? sniffedKind(bytes) : kind);
  const [left, right] = [look(a), look(b)];
  return left === right ? [left, right] : [a.kind, b.kind];
}

function fingerprintOfAnswer({ body, bodyBytes, bodySha256 }: Answer): Fingerprint | null {
  if (body !== null) return fingerprintOf(body);
  return bodySha256 === null ? null : { bytes: bodyBytes, sha256: bodySha256 };
}
