/** A pair that shows a cluster: short enough to be read, whole where that is possible. */
import { decodeText, openContent } from '../content/content.ts';
import type { Answer, Pair } from '../pair.ts';
import type { ClusterExample } from '../report.ts';
import { curlOf } from './reproduce.ts';

const textCharsMax = 8_192;
/** What is opened to be shown. */
const openBytesMax = 65_536;

/** About how much there is to read in a pair: the smaller example is the better one. */
export function sizeOf(pair: Pair): number {
  return pair.request.length + pair.baseline.bodyBytes + pair.candidate.bodyBytes;
}

/** What is the same for all differences of a pair. */
export type PairExample = Omit<ClusterExample, 'from' | 'to'>;

export function pairExample(pair: Pair): PairExample {
  return {
    id: pair.id,
    request: shortened(pair.request.toString('utf8', 0, openBytesMax)),
    baseline: bodyText(pair.baseline),
    candidate: bodyText(pair.candidate),
    curl: curlOf(pair),
  };
}

/** About the memory that it takes. */
export function bytesOfExample({ request, baseline, candidate, curl }: ClusterExample): number {
  return 600 + 2 * (request.length + (baseline?.length ?? 0) + (candidate?.length ?? 0) + curl.length);
}

/** Null when there is none, or it was not kept. */
function bodyText(answer: Answer): string | null {
  if (answer.body === null || answer.body.length === 0) return null;
  const content = openContent(answer, answer.body, openBytesMax);
  if (typeof content === 'string') return `(${answer.bodyBytes} bytes: ${content.replaceAll('_', ' ')})`;
  const decoded = content.kind === 'binary' ? null : decodeText(content);
  return decoded === null ? `(${content.bytes.length} bytes, no text)` : shortened(decoded.text);
}

/** A copy, so that it does not hold on to what it was cut from. */
function shortened(text: string): string {
  const cut = text.length > textCharsMax ? `${text.slice(0, textCharsMax - 1)}…` : text;
  return Buffer.from(cut, 'utf8').toString('utf8');
}
