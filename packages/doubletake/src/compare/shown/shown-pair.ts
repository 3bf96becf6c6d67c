/** A pair as the dashboard shows it: messages as text, laid out to be read, and nothing of them where they may not be seen. */
import { decodeText, openContent } from '../content/content.ts';
import type { ContentKind } from '../content/media-type.ts';
import { curlOf } from '../clusters/reproduce.ts';
import { readRequest } from '../clusters/request-parts.ts';
import type { Difference, DifferenceKind } from '../difference.ts';
import type { Answer, Pair } from '../pair.ts';
import { laidOutJson } from './laid-out-json.ts';

/** What is opened of a body, and what is shown of its text. */
const openBytesMax = 1_048_576;
const textCharsMax = 262_144;

/** A message as it was compared. */
export interface ShownMessage {
  /** `GET /x HTTP/1.1` or `200`; or the failure, such as `timeout`. */
  start: string;
  headers: [name: string, value: string][];
  body: {
    /** Null where there is none, it is no text, or it is not shown. */
    text: string | null;
    language: 'json' | 'xml' | 'html' | 'form' | 'text' | 'binary';
    /** Whole length. */
    bytes: number;
    /** There is more than is here. */
    cut: boolean;
  };
}

export interface ShownDifference {
  kind: DifferenceKind;
  path: string;
  place: string;
  cluster: string | null;
  from: string | null;
  to: string | null;
}

interface Timing {
  firstByteMs: number;
  totalMs: number;
}

export interface ShownPair {
  id: string;
  /** ISO 8601. */
  time: string;
  endpoint: string;
  method: string;
  target: string;
  request: ShownMessage;
  baseline: ShownMessage | null;
  candidate: ShownMessage | null;
  differences: ShownDifference[];
  timing: { baseline: Timing | null; candidate: Timing | null };
  curl: string;
  /** Why contents are not shown; null when they are. */
  hidden: string | null;
}

/** What is known of a pair beside its messages. */
export interface PairFindings {
  endpoint: string;
  differences: readonly (Difference & { cluster: string | null })[];
  /** Whether the pair has its messages. */
  messages: 'none' | 'cut' | 'whole';
}

/** Where the type is what differs, a text has its quotes: 10 became "10". */
function valueText(kind: DifferenceKind, value: string | null, type: string | null): string | null {
  return kind === 'type' && type === 'string' && value !== null ? JSON.stringify(value) : value;
}

/** `hidden` says why contents may not be seen; null shows them. */
export function shownPair(pair: Pair, { endpoint, differences, messages }: PairFindings, hidden: string | null): ShownPair {
  const target = hidden === null ? pair.target : withoutQuery(pair.target);
  const isHeld = messages !== 'none';
  return {
    id: pair.id,
    time: new Date(pair.timeUs / 1_000).toISOString(),
    endpoint,
    method: pair.method,
    target,
    request: shownRequest(pair, target, hidden !== null),
    baseline: shownAnswer(pair.baseline, hidden !== null, isHeld),
    candidate: shownAnswer(pair.candidate, hidden !== null, isHeld),
    differences: differences.map(({ kind, path, place, cluster, ...sides }) => ({
      kind,
      path,
      // Keys of elements are values, too.
      place: hidden === null ? place : path,
      cluster,
      from: hidden === null ? valueText(kind, sides.baseline, sides.baselineType) : null,
      to: hidden === null ? valueText(kind, sides.candidate, sides.candidateType) : null,
    })),
    timing: { baseline: timingOf(pair.baseline), candidate: timingOf(pair.candidate) },
    curl: hidden === null && isHeld ? curlOf(pair) : '',
    hidden,
  };
}

function shownRequest(pair: Pair, target: string, isHidden: boolean): ShownMessage {
  const { version, headers, body } = readRequest(pair.request);
  const start = `${pair.method} ${target} ${version}`;
  if (isHidden) return { start, headers: [], body: withoutText(body.length) };
  const asAnswer: Answer = { ...pair.baseline, headers, body, bodyBytes: body.length };
  return { start, headers: headers.map(readable), body: shownBody(asAnswer, true) };
}

function shownAnswer(answer: Answer, isHidden: boolean, isHeld: boolean): ShownMessage | null {
  const { status, failure, headers, bodyBytes } = answer;
  if (status === 0 && failure === null) return null;
  const start = failure ?? String(status);
  if (isHidden) return { start, headers: [], body: withoutText(bodyBytes) };
  return { start, headers: headers.map(readable), body: shownBody(answer, isHeld) };
}

function shownBody(answer: Answer, isHeld: boolean): ShownMessage['body'] {
  const { body, bodyBytes } = answer;
  if (body === null || body.length === 0) return { ...withoutText(bodyBytes), cut: !isHeld || (body === null && bodyBytes > 0) };
  const content = openContent(answer, body, openBytesMax);
  if (typeof content === 'string') return { ...withoutText(bodyBytes), cut: true };
  const decoded = content.kind === 'binary' ? null : decodeText(content);
  if (decoded === null) return { ...withoutText(bodyBytes), cut: body.length < bodyBytes };
  const language = languageOf(content.kind);
  const { text, cut } = language === 'json' ? laidOutJson(decoded.text, textCharsMax) : shortened(decoded.text);
  return { text, language, bytes: bodyBytes, cut: cut || body.length < bodyBytes };
}

function languageOf(kind: ContentKind): ShownMessage['body']['language'] {
  switch (kind) {
    case 'json':
    case 'xml':
    case 'html':
    case 'form':
    case 'binary':
      return kind;
    default:
      return 'text';
  }
}

function withoutText(bytes: number): ShownMessage['body'] {
  return { text: null, language: 'binary', bytes, cut: false };
}

function shortened(text: string): { text: string; cut: boolean } {
  return text.length <= textCharsMax ? { text, cut: false } : { text: text.slice(0, textCharsMax), cut: true };
}

/** Latin1 as it was sent, as the UTF-8 that it mostly is. */
function readable([name, value]: readonly [string, string]): [string, string] {
  return [name, /^[\0-\x7f]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8')];
}

function timingOf({ failure, status, firstByteMs, totalMs }: Answer): Timing | null {
  return failure !== null || status === 0 ? null : { firstByteMs, totalMs };
}

/** The path of a target, without what may be personal. */
export function withoutQuery(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
