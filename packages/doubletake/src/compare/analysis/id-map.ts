/**
 * The ids that the candidate gave where production gave others: `POST /orders` was answered with 17 by production and
 * 901 by the candidate, so later requests of the same session that ask for order 17 ask the candidate for 901.
 *
 * An id that could not be anything else (a UUID, a long token) is replaced wherever it stands by itself. A short one,
 * such as 17, is replaced only where it belongs to what was made: behind the name of the collection in a path, or under
 * a name such as `order_id` in a query or in JSON.
 */
import type { Difference } from '../difference.ts';
import type { Pair } from '../pair.ts';

const sessionsMax = 10_000;
const idsMax = 200;
const bodyCharsMax = 1_048_576;
const idCharsMax = 128;
/** From this length on, and with digits, an id is like no other value. */
const unlikeMin = 12;

const ID_PATH = /(?:^\$(?:\.[A-Za-z_]\w*){0,2}\.(?:\w*_)?(?:id|uuid|guid)$|^\$(?:\.[A-Za-z_]\w*){0,2}\.\w*[a-z](?:Id|Uuid)$)/;
const ID = /^[\w.:~-]+$/;

interface MappedId {
  candidate: string;
  /** The collection's name in the singular, lower case: `order`. */
  thing: string;
}

export class IdMap {
  /** By session, by production's id; the one used last is last. */
  readonly #sessions = new Map<string, Map<string, MappedId>>();

  /** How many sessions have ids. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Learns from a request that made something on both sides; `differences` are those of its answers. */
  learn(pair: Pair, differences: readonly Difference[]): void {
    if (pair.kind !== 'candidate' || (pair.method !== 'POST' && pair.method !== 'PUT')) return;
    if (!isSuccess(pair.baseline.status) || !isSuccess(pair.candidate.status)) return;
    const thing = thingOf(pair.target);
    for (const { kind, path, baseline, candidate } of differences) {
      if ((kind !== 'value' && kind !== 'type') || baseline === null || candidate === null) continue;
      if (ID_PATH.test(path)) this.#add(pair.session, baseline, candidate, thing);
      else if (path === 'header:location') this.#add(pair.session, lastSegment(baseline), lastSegment(candidate), thing);
    }
  }

  /** Whether two values are what the two versions call the same thing. */
  isSame(session: string, baseline: string, candidate: string): boolean {
    return this.#sessions.get(session)?.get(baseline)?.candidate === candidate;
  }

  /** A request's target and body with the candidate's ids; the same values when nothing is to be replaced. */
  rewrite(session: string, target: string, body: Buffer): { target: string; body: Buffer } {
    const ids = this.#sessions.get(session);
    if (ids === undefined) return { target, body };
    return { target: rewriteTarget(ids, target), body: rewriteBody(ids, body) };
  }

  #add(session: string, baseline: string, candidate: string, thing: string): void {
    if (baseline === candidate || !isId(baseline) || !isId(candidate)) return;
    const ids = this.#sessions.get(session) ?? new Map<string, MappedId>();
    this.#sessions.delete(session);
    this.#sessions.set(session, ids);
    ids.set(baseline, { candidate, thing });
    dropOldest(ids, idsMax);
    dropOldest(this.#sessions, sessionsMax);
  }
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function isId(text: string): boolean {
  return text.length > 0 && text.length <= idCharsMax && ID.test(text);
}

function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0];
}

/** Of `/shops/4/orders/`: `order`. */
function thingOf(target: string): string {
  const words = pathOf(target).split('/').filter((segment) => /^[A-Za-z][A-Za-z_-]*$/.test(segment));
  return singular(words.at(-1) ?? '');
}

function singular(name: string): string {
  const word = name.toLowerCase().replaceAll(/[_-]/g, '');
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

function lastSegment(location: string): string {
  const path = pathOf(location).replace(/\/$/, '');
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether an id that stands under this name is that of the thing. */
function names(name: string, { thing }: MappedId): boolean {
  const word = name.toLowerCase().replaceAll(/[_-]/g, '');
  return thing !== '' && (word === thing || word === `${thing}id` || word === `${thing}uuid` || singular(name) === thing);
}

function isUnlikeOthers(id: string): boolean {
  return id.length >= unlikeMin && /\d/.test(id);
}

function replacement(ids: ReadonlyMap<string, MappedId>, value: string, name: string): string {
  const mapped = ids.get(value);
  return mapped !== undefined && (isUnlikeOthers(value) || names(name, mapped)) ? mapped.candidate : value;
}

function rewriteTarget(ids: ReadonlyMap<string, MappedId>, target: string): string {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const segments = path.split('/');
  const rewritten = segments.map((segment, index) => replacement(ids, segment, segments[index - 1] ?? '')).join('/');
  if (question < 0) return rewritten;
  const query = target.slice(question + 1).split('&').map((parameter) => {
    const equals = parameter.indexOf('=');
    if (equals < 0) return parameter;
    return parameter.slice(0, equals + 1) + replacement(ids, parameter.slice(equals + 1), parameter.slice(0, equals));
  });
  return `${rewritten}?${query.join('&')}`;
}

/** A member with a plain value, or a text. A text without an end goes to the end, so that it is looked at once. */
const JSON_VALUE = /"(?:[^"\\]|\\.)*(?:"|\\?$)(?:\s*:\s*(?:"[^"\\]*"|-?\d+(?![\d.eE])))?/gs;
const MEMBER = /^("((?:[^"\\]|\\.)*)"\s*:\s*)("?)([^"]*)"?$/s;

/** Only texts are looked at, so that all but the ids stays byte for byte what it was. */
function rewriteBody(ids: ReadonlyMap<string, MappedId>, body: Buffer): Buffer {
  if (body.length === 0 || body.length > bodyCharsMax) return body;
  const text = body.toString('latin1');
  if (![...ids.keys()].some((id) => text.includes(id))) return body;
  if (!/^\s*[[{]/.test(text)) {
    return /^[^=&\s]+=[^\s]*$/.test(text) ? Buffer.from(rewriteTarget(ids, `?${text}`).slice(1), 'latin1') : body;
  }
  const rewritten = text.replace(JSON_VALUE, (match) => {
    const member = MEMBER.exec(match);
    if (member === null) {
      const value = match.slice(1, -1);
      return isUnlikeOthers(value) ? `"${replacement(ids, value, '')}"` : match;
    }
    const [, head, name, quote, value] = member;
    const next = replacement(ids, value, name);
    if (next === value) return match;
    // A number that has become a text gets its quotes.
    return quote === '' && /^-?\d+$/.test(next) ? head + next : `${head}"${next}"`;
  });
  return rewritten === text ? body : Buffer.from(rewritten, 'latin1');
}
