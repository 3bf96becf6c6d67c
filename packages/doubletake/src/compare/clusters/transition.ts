/**
 * What happened to a value, in words: differences with the same words at the same place have one cause. A noisy field's
 * values may differ, but not every way: what `departs` is outside of what such a field still has to keep.
 */
import type { Difference } from '../difference.ts';
import { type Shape, shapeOf } from '../noise/value-shape.ts';

export interface Transition {
  /** From and to, where that is what such differences have in common. */
  text: string | null;
  /** In words, a sentence without its subject's value: `the field is gone`. */
  cause: string;
  /** No noise of the values themselves: another format, nothing where there was something, another time zone. */
  departs: boolean;
  /** The candidate's format, when it is not the baseline's. */
  shape: string | null;
  /** A time is off by what another zone could make of it: later or earlier. */
  zone?: 'later' | 'earlier';
  /** No difference to anybody: the last digits of a floating-point number, the time of the answer. */
  harmless?: boolean;
}

/** Of a time that is only another since the two answers were given one after the other. */
export const timeOfAnswer: Transition = {
  text: 'time of the answer',
  cause: 'the answers were given at different times',
  departs: false,
  shape: null,
  harmless: true,
};

const quarterHourMs = 900_000;
const zoneMsMax = 14 * 3_600_000;
/** Two clocks and the time between two answers. */
const clocksMs = 2_000;
const wordCharsMax = 24;
/** What base64 and hex are written with. */
const TOKEN = /^[\w+/=-]{8,}$/;

/** What the place is called in a sentence. */
export function nounOf(path: string): string {
  if (path.startsWith('header:')) return `the header ${path.slice(7)}`;
  if (path.startsWith('cookie:')) {
    const [name, attribute] = path.slice(7).split(';');
    return attribute === undefined ? `the cookie ${name}` : `the attribute ${attribute} of the cookie ${name}`;
  }
  if (path.startsWith('form:')) return 'the form field';
  if (path.startsWith('xml:') || path.startsWith('html:')) {
    if (path.endsWith('/text()')) return 'the text of the element';
    return path.includes('@') ? 'the attribute' : 'the element';
  }
  if (path.endsWith('[*]')) return 'an element of the array';
  if (path === 'text') return 'a line of the text';
  return path === '$' || path === 'body' ? 'the body' : 'the field';
}

export function transitionOf(difference: Difference): Transition {
  const { kind, path, baseline, candidate, baselineType, candidateType } = difference;
  const noun = nounOf(path);
  switch (kind) {
    case 'status':
      return { ...fixed(`${baseline} -> ${candidate}`, statusCause(baseline, candidate)), departs: true };
    case 'failure':
      return { ...fixed(`${baseline ?? 'answer'} -> ${candidate ?? 'answer'}`, failureCause(candidate)), departs: true };
    case 'type':
      return typeTransition(noun, difference);
    case 'missing':
      return fixed(null, `${noun} is gone`);
    case 'extra':
      return fixed(null, `${noun} is new${isTelling(path) ? ', and by its name it should not leave the service' : ''}`);
    case 'length':
      return lengthTransition(baseline, candidate);
    case 'order':
      return fixed(null, 'the same in another order');
    case 'malformed':
      return { ...fixed(null, malformedCause(candidate)), departs: true };
    case 'value':
      return valueTransition(noun, baseline ?? '', candidate ?? '', baselineType, candidateType);
  }
}

/** Names of what no answer should hold. */
const TELLING = /passw|secret|token|api_?key|private|ssn|salt|hash|internal|credential|debug|stack_?trace/i;

function isTelling(path: string): boolean {
  return TELLING.test(path.slice(path.lastIndexOf('.') + 1));
}

function fixed(text: string | null, cause: string): Transition {
  return { text, cause, departs: false, shape: null };
}

function statusCause(baseline: string | null, candidate: string | null): string {
  const to = Number(candidate);
  if (to >= 500) return 'the candidate fails';
  if (Number(baseline) >= 500) return 'the candidate answers where the baseline fails';
  if (to === 404 || to === 410) return 'the candidate does not find it';
  if (to === 401 || to === 403) return 'the candidate refuses access';
  if (to >= 400) return 'the candidate refuses the request';
  return to >= 300 && to < 400 ? 'the candidate redirects' : 'another status';
}

function failureCause(candidate: string | null): string {
  const causes: Record<string, string> = {
    connect: 'the candidate takes no connection',
    timeout: 'the candidate does not answer in time',
    reset: 'the candidate breaks off the connection',
    protocol: 'the candidate\'s answer is no valid HTTP',
  };
  return causes[candidate ?? ''] ?? 'the candidate answers where the baseline does not';
}

function malformedCause(candidate: string | null): string {
  return `the ${candidate === null ? 'baseline' : 'candidate'}'s body is not what it says it is`;
}

function typeTransition(noun: string, { baseline, candidate, baselineType: from, candidateType: to }: Difference): Transition {
  const text = from === to ? short(`${baseline} -> ${candidate}`) : `${from ?? 'nothing'} -> ${to ?? 'nothing'}`;
  if (to === 'null') return fixed(text, `${noun} is null`);
  if (from === 'null') return fixed(text, `${noun} was null and has a value`);
  if (baseline !== null && baseline === candidate) return fixed(text, `${noun} has the same value as another type`);
  return fixed(text, `${noun} has another type`);
}

function short(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}

function lengthTransition(baseline: string | null, candidate: string | null): Transition {
  const from = Number.parseInt(baseline ?? '', 10);
  const to = Number.parseInt(candidate ?? '', 10);
  if (to === 0) return fixed('empty', 'there is nothing in it');
  return to < from ? fixed('shorter', 'there is less in it') : fixed('longer', 'there is more in it');
}

function valueTransition(noun: string, from: string, to: string, fromType: string | null, toType: string | null): Transition {
  if (from === 'true' || from === 'false') return fixed(`${from} -> ${to}`, `${noun} is ${to}`);
  const before = shapeOf(from, fromType);
  const after = shapeOf(to, toType);
  if (to === '') return { ...fixed('empty', `${noun} is empty`), departs: true, shape: after.name };
  const time = timeTransition(noun, before, after);
  if (time !== null) return time;
  if (isNumber(before) && isNumber(after)) return numberTransition(noun, from, to);
  const text = textTransition(noun, from, to);
  if (text !== null) return text;
  if (before.name !== after.name && !areTokens(from, to, before, after)) {
    return { text: `${before.name} -> ${after.name}`, cause: `${noun} has another format`, departs: true, shape: after.name };
  }
  const areWords = before.name === 'word' && from.length <= wordCharsMax && to.length <= wordCharsMax;
  return fixed(areWords ? `${from} -> ${to}` : null, `${noun} has another value`);
}

/** Two tokens of one kind, of which one happens to look like a word, a path or a number. */
function areTokens(from: string, to: string, before: Shape, after: Shape): boolean {
  if (from.length !== to.length || !TOKEN.test(from) || !TOKEN.test(to)) return false;
  const isToken = ({ format }: Shape): boolean => format === 'token' || format === 'hex';
  const isAnything = ({ format }: Shape): boolean => format === 'text' || format === 'url' || format === 'integer' || format === 'number';
  return (isToken(before) && isAnything(after)) || (isAnything(before) && isToken(after));
}

function isNumber({ format }: Shape): boolean {
  return format === 'number' || format === 'integer';
}

function timeTransition(noun: string, before: Shape, after: Shape): Transition | null {
  if (before.timeMs === null || after.timeMs === null) return null;
  const shift = after.timeMs - before.timeMs;
  const quarters = Math.round(shift / quarterHourMs);
  const zoned = quarters !== 0 && Math.abs(shift) <= zoneMsMax + clocksMs && Math.abs(shift - quarters * quarterHourMs) <= clocksMs;
  if (zoned) {
    const text = `${quarters > 0 ? '+' : '-'}${Math.abs(quarters) / 4} h`;
    const zone = quarters > 0 ? 'later' : 'earlier';
    return { text, cause: `${noun} is off by ${text.slice(1)}: another time zone`, departs: true, shape: null, zone };
  }
  if (before.name === after.name) {
    return fixed(null, shift === 0 ? `${noun} writes the same time differently` : `${noun} is another time`);
  }
  const cause = shift === 0 ? `${noun} writes the same time in another format` : `${noun} is a time in another format`;
  return { text: `${before.name} -> ${after.name}`, cause, departs: true, shape: after.name };
}

/** Without exactness: it is about words, not about whether they differ. */
function numberTransition(noun: string, fromText: string, toText: string): Transition {
  const from = Number(fromText);
  const to = Number(toText);
  const decimals = decimalsOf(toText);
  if (isSameButLastDigits(fromText, toText)) {
    return { ...fixed('last digits', `${noun} differs in the last digits of a double`), harmless: true };
  }
  // Such as an id that was read as a number by JavaScript.
  if (from === to && /^-?\d{16,}$/.test(fromText)) return fixed('precision', `${noun} is no longer exact: it went through a double`);
  if (from === -to) return fixed('sign', `${noun} has the other sign`);
  const ratio = to / from;
  const factor = [10, 60, 100, 1_000, 3_600, 1_000_000].find((each) => isNear(ratio, each) || isNear(1 / ratio, each));
  if (factor !== undefined) {
    const times = ratio > 1 ? `${factor} times` : `1/${factor} of`;
    return fixed(times, `${noun} is ${times} what it was: another unit`);
  }
  const place = 10 ** -Math.max(0, decimals);
  if (decimals < decimalsOf(fromText) && Math.abs(from - to) <= place) {
    return fixed('rounded', `${noun} is rounded to fewer decimals`);
  }
  if (Number.isInteger(from) && Number.isInteger(to) && Math.abs(from - to) === 1) {
    return fixed(to > from ? '+1' : '-1', `${noun} is off by one`);
  }
  return fixed(null, `${noun} has another value`);
}

/** As two ways to reckon the same double: so near that both have been written out to its end. */
function isSameButLastDigits(from: string, to: string): boolean {
  if (Math.max(digitsOf(from), digitsOf(to)) < 14) return false;
  return Math.abs(Number(from) - Number(to)) <= 1e-13 * Math.abs(Number(from));
}

/** Significant digits of what is not whole. */
function digitsOf(text: string): number {
  if (!/[.eE]/.test(text)) return 0;
  return text.replace(/[eE].*$/, '').replaceAll(/\D|^-?0\.0*/g, '').length;
}

function decimalsOf(text: string): number {
  const dot = text.indexOf('.');
  return dot < 0 || /[eE]/.test(text) ? 0 : text.length - dot - 1;
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * b;
}

function textTransition(noun: string, from: string, to: string): Transition | null {
  if (to.toLowerCase() === from.toLowerCase()) return fixed('case', `${noun} has other upper and lower case`);
  if (withoutSpace(to) === withoutSpace(from)) return fixed('whitespace', `${noun} has other whitespace`);
  if (to.normalize('NFC') === from.normalize('NFC')) return fixed('normalization', `${noun} has its accents in another Unicode form`);
  if (isMiscoded(from, to) || isMiscoded(to, from)) return fixed('encoding', `${noun} is in the wrong character encoding`);
  if (unescaped(to) === from) return fixed('escaped', `${noun} is escaped once more`);
  if (unescaped(from) === to) return fixed('unescaped', `${noun} is not escaped any more`);
  const isCut = to.length >= 8 && from.length < 256 && from.startsWith(to.replace(/(?:…|\.\.\.)$/, ''));
  return isCut ? fixed('truncated', `${noun} is cut off`) : null;
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

/** Whether `to` is `from` read as bytes of another encoding, or with characters that were lost. */
function isMiscoded(from: string, to: string): boolean {
  if (!/[^\0-\x7F]/.test(from)) return false;
  if (Buffer.from(from, 'utf8').toString('latin1') === to) return true;
  if (to.includes('\uFFFD') && !from.includes('\uFFFD')) return true;
  return /[?]/.test(to) && from.replaceAll(/[^\0-\x7F]/g, '?') === to;
}

function unescaped(text: string): string {
  if (text.includes('&')) {
    const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", apos: "'" };
    return text.replaceAll(/&(amp|lt|gt|quot|#39|#x27|apos);/g, (_, name: string) => names[name] ?? '');
  }
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
