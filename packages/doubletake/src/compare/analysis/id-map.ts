/**
 * The ids that the candidate gave where production gave others: `POST /orders` was answered with 17 by production and
 * 901 by the candidate, so later requests of the same session that ask for order 17 ask the candidate for 901, and where
 * the candidate then answers 901, it means 17.
 *
 * An id that could not be anything else (a UUID, a long token) is replaced wherever it stands by itself. A short one,
 * such as 17, is replaced only where it belongs to what was made: behind the name of the collection in a path, under a
 * name such as `order_id`, or as the `id` of an order.
 */
import { compareAnswers } from '../diff/compare-answers.ts';
import type { DiffOptions } from '../diff/options.ts';
import type { Difference } from '../difference.ts';
import type { Answer } from '../pair.ts';
import { isWrapper, pathOf, thingNamed, thingOfTarget } from './id-names.ts';
import { type IdLookup, withIdsInBody, withIdsInTarget } from './id-text.ts';

const sessionsMax = 10_000;
const idsMax = 200;
/** Of all sessions together. */
const idsTotalMax = 50_000;
const idCharsMax = 128;
/** From this length on, and with digits, an id is like no other value. */
const unlikeMin = 12;

/** `$.id`, `$.data.order_id`, `$.order.uuid`: not in arrays, which hold other things. */
const ID_PATH = /^\$((?:\.[A-Za-z_]\w*){0,2})\.((?:\w*_)?(?:id|uuid|guid)|\w*[a-z](?:Id|Uuid))$/;
const ID = /^[\w.:~-]+$/;

/** One object, so that the differ remembers what it found out about paths. */
const diffOptions: DiffOptions = {};

/** A request that may have made something, with production's ids. */
export interface MakingRequest {
  method: string;
  target: string;
  /** Its content. */
  body: Buffer;
}

interface MappedId {
  /** What it is the id of, as `thingNamed` says. */
  thing: string;
  baseline: string;
  candidate: string;
}

interface Session {
  /** By thing and production's id, the one learned last is last. */
  ids: Map<string, MappedId>;
  byBaseline: Map<string, MappedId[]>;
  byCandidate: Map<string, MappedId[]>;
}

export class IdMap {
  /** The one that learned last is last. */
  readonly #sessions = new Map<string, Session>();
  #total = 0;

  /** How many sessions have ids. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /**
   * Learns what a request made on both sides, for each of the sessions that it belongs to. An id that the request itself
   * names was not given by who answers it.
   */
  learn(sessions: readonly string[], request: MakingRequest, baseline: Answer, candidate: Answer): void {
    if (!makes(request.method) || !isDone(baseline.status) || !isDone(candidate.status)) return;
    const { differences } = compareAnswers(baseline, candidate, diffOptions);
    for (const id of madeIds(request, baseline.status, differences)) {
      if (!isNamedIn(request, id)) for (const session of sessions) this.#add(session, id);
    }
  }

  /** Finds the candidate's ids for production's, as these sessions know them; null when they know none. */
  toCandidate(sessions: readonly string[]): IdLookup | null {
    const known = this.#known(sessions);
    return known.length === 0 ? null : lookup(known.map(({ byBaseline }) => byBaseline), 'candidate');
  }

  /** The way back. */
  toBaseline(sessions: readonly string[]): IdLookup | null {
    const known = this.#known(sessions);
    return known.length === 0 ? null : lookup(known.map(({ byCandidate }) => byCandidate), 'baseline');
  }

  #known(sessions: readonly string[]): Session[] {
    return this.#sessions.size === 0 ? [] : sessions.flatMap((session) => this.#sessions.get(session) ?? []);
  }

  #add(name: string, id: MappedId): void {
    const session = this.#sessions.get(name) ?? { ids: new Map<string, MappedId>(), byBaseline: new Map(), byCandidate: new Map() };
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    const { ids } = session;
    const key = `${id.thing} ${id.baseline}`;
    this.#total -= ids.size;
    ids.delete(key);
    ids.set(key, id);
    if (ids.size > idsMax) dropOldest(ids);
    this.#total += ids.size;
    session.byBaseline = Map.groupBy(ids.values(), ({ baseline }) => baseline);
    session.byCandidate = Map.groupBy(ids.values(), ({ candidate }) => candidate);
    while (this.#sessions.size > sessionsMax || this.#total > idsTotalMax) {
      this.#total -= dropOldest(this.#sessions)?.ids.size ?? 0;
    }
  }
}

/** Whether requests of a method may make something of which the answer tells the id. */
export function makes(method: string): boolean {
  return method === 'POST' || method === 'PUT';
}

function lookup(indexes: readonly ReadonlyMap<string, MappedId[]>[], side: 'baseline' | 'candidate'): IdLookup {
  return (value, thing) => {
    for (const index of indexes) {
      const found = index.get(value);
      if (found === undefined) continue;
      const mapped = isUnlikeOthers(value) ? found.at(-1) : found.findLast((id) => id.thing !== '' && id.thing === thing());
      if (mapped !== undefined) return mapped[side];
    }
    return null;
  };
}

/** A success, or a redirect to what was made. */
function isDone(status: number): boolean {
  return status >= 200 && status < 400;
}

/**
 * Ids that differ. Those of the thing that the request is about are new on both sides. What else differs may be a fault,
 * as another customer's id is, unless it is the only one where something was created (RFC 9110 section 15.3.2).
 */
function madeIds({ target }: MakingRequest, status: number, differences: readonly Difference[]): MappedId[] {
  const asked = thingOfTarget(target);
  const own: MappedId[] = [];
  const others: MappedId[] = [];
  for (const { kind, path, baseline, candidate } of differences) {
    if ((kind !== 'value' && kind !== 'type') || baseline === null || candidate === null) continue;
    if (path === 'header:location') {
      const id = idInLocation(baseline, candidate);
      if (id !== null) own.push(id);
      continue;
    }
    const [, members, name] = ID_PATH.exec(path) ?? [];
    if (name === undefined || !isId(baseline) || !isId(candidate)) continue;
    const around = members.split('.').findLast((member) => !isWrapper(member, false));
    const thing = thingNamed(name) || (around === undefined ? asked : thingNamed(around));
    (thing === asked ? own : others).push({ thing, baseline, candidate });
  }
  return own.length === 0 && others.length === 1 && status === 201 ? others : own;
}

/** Of two URLs that differ in their last segment alone. */
function idInLocation(baseline: string, candidate: string): MappedId | null {
  const [before, after] = [baseline, candidate].map((location) => pathOf(location).replace(/\/$/, '').split('/'));
  const thing = thingNamed(before.at(-2) ?? '');
  const [from = '', to = ''] = [before.at(-1), after.at(-1)];
  if (from === to || thing !== thingNamed(after.at(-2) ?? '') || !isId(from) || !isId(to)) return null;
  return /\d/.test(from) && /\d/.test(to) ? { thing, baseline: from, candidate: to } : null;
}

function isNamedIn({ target, body }: MakingRequest, id: MappedId): boolean {
  let named = false;
  const find = lookup([new Map([[id.baseline, [id]]])], 'candidate');
  const note: IdLookup = (value, thing) => {
    named ||= find(value, thing) !== null;
    return null;
  };
  withIdsInTarget(target, note);
  if (!named) withIdsInBody(body, { thing: thingOfTarget(target), isList: false, retype: true }, note);
  return named;
}

function isId(text: string): boolean {
  return text.length > 0 && text.length <= idCharsMax && ID.test(text);
}

function isUnlikeOthers(id: string): boolean {
  return id.length >= unlikeMin && /\d/.test(id);
}

function dropOldest<V>(map: Map<string, V>): V | undefined {
  for (const [key, value] of map) {
    map.delete(key);
    return value;
  }
  return undefined;
}
