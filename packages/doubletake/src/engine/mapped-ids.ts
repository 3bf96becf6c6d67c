/**
 * The ids that targets gave where production gave others, as far as messages go: what a request looks like with a
 * target's ids, and what a target's answer looks like with production's.
 *
 * Requests belong together that come on one connection, or with the same credentials: behind a load balancer a client's
 * requests come on many connections.
 */
import { createHash } from 'node:crypto';
import { thingOfTarget } from '../compare/analysis/id-names.ts';
import { IdMap, makes } from '../compare/analysis/id-map.ts';
import { type IdContext, type IdLookup, withIdsInBody, withIdsInTarget } from '../compare/analysis/id-text.ts';
import type { Answer } from '../compare/pair.ts';
import type { Exchange, Message } from '../http/exchange.ts';
import type { MessageHead } from '../http/head.ts';
import { bodyOf, contentOf, headOf } from '../policy/message-edit.ts';
import { RequestDraft } from '../policy/rewrite/request-draft.ts';
import { closeBody, codingsOf, openBody } from '../policy/sanitize/content-coding.ts';

/** Longer bodies keep their ids. */
const bodyBytesMax = 1_048_576;

const locationFields: ReadonlySet<string> = new Set(['location', 'content-location']);

const SESSION_COOKIE = /sess|auth|token|jwt|^sid$|[._-]sid$/i;
const FORGERY_COOKIE = /csrf|xsrf/i;

export class MappedIds {
  /** By target. */
  readonly #maps = new Map<string, IdMap>();

  /** `safe` is `exchange` made safe: its ids are those that targets get to see. */
  of(exchange: Exchange, safe: Exchange): RequestIds {
    return new RequestIds(this.#maps, sessionsOf(exchange), safe);
  }
}

/** The ids of one request and of its answers. */
export class RequestIds {
  readonly #maps: Map<string, IdMap>;
  readonly #sessions: readonly string[];
  readonly #safe: Exchange;
  readonly #learned = new Set<string>();

  constructor(maps: Map<string, IdMap>, sessions: readonly string[], safe: Exchange) {
    this.#maps = maps;
    this.#sessions = sessions;
    this.#safe = safe;
  }

  /** Whether the target's answer may tell of new ids. */
  expects(target: string): boolean {
    return makes(this.#safe.request.head.method) && !this.#learned.has(target);
  }

  /** Learns from production's answer, made safe, and the target's, as it came. */
  learn(target: string, baseline: Answer, answer: Answer): void {
    this.#learned.add(target);
    const { head, body } = this.#safe.request;
    const content = contentOf(body, head)?.bytes ?? Buffer.alloc(0);
    let map = this.#maps.get(target);
    if (map === undefined) this.#maps.set(target, (map = new IdMap()));
    map.learn(this.#sessions, { method: head.method, target: head.target, body: content }, baseline, answer);
  }

  /** The request with the target's ids as far as they are known now; itself when it names none. */
  toTarget(target: string, exchange: Exchange): Exchange {
    const lookup = this.#maps.get(target)?.toCandidate(this.#sessions) ?? null;
    if (lookup === null) return exchange;
    const draft = new RequestDraft(exchange);
    const { content } = draft;
    if (content !== null) {
      const mapped = withIdsInBody(content, this.#context(exchange.request.head, true), lookup);
      if (mapped !== content) draft.content = mapped;
    }
    draft.target = withIdsInTarget(draft.target, lookup);
    return draft.finish() ?? exchange;
  }

  /** The target's answer with production's ids; itself when it names none of the target's. */
  toProduction(target: string, answer: Message): Message {
    const lookup = this.#maps.get(target)?.toBaseline(this.#sessions) ?? null;
    if (lookup === null) return answer;
    const head = headWithIds(answer.head, lookup);
    const body = this.#contentWithIds(answer, lookup);
    if (head === answer.head && body === null) return answer;
    return { ...answer, head, body: body === null ? answer.body : bodyOf(answer.body, { bytes: body, trailers: '' }) };
  }

  /** Null when nothing changes. */
  #contentWithIds({ head, body }: Message, lookup: IdLookup): Buffer | null {
    const content = contentOf(body, head)?.bytes;
    const codings = codingsOf(head.all('content-encoding'));
    if (content === undefined || content.length === 0 || codings === null) return null;
    const opened = openBody(content, codings, bodyBytesMax);
    if (opened === null) return null;
    // A number that became a text is a difference, and stays one.
    const mapped = withIdsInBody(opened, this.#context(this.#safe.request.head, false), lookup);
    return mapped === opened ? null : closeBody(mapped, codings);
  }

  #context({ method, target }: MessageHead, retype: boolean): IdContext {
    return { thing: thingOfTarget(target), isList: method === 'GET' && /\/[A-Za-z][\w-]*\/?(?:\?|$)/.test(target), retype };
  }
}

function headWithIds(head: MessageHead, lookup: IdLookup): MessageHead {
  const source = head.bytes.toString('latin1');
  let text = source;
  // From the last one on, so that offsets stay true.
  for (let index = head.count - 1; index >= 0; index--) {
    if (!locationFields.has(head.name(index).toLowerCase())) continue;
    const value = withIdsInTarget(source.slice(head.valueStart(index), head.valueEnd(index)), lookup);
    text = text.slice(0, head.valueStart(index)) + value + text.slice(head.valueEnd(index));
  }
  return text === source ? head : (headOf('response', Buffer.from(text, 'latin1'))?.head ?? head);
}

/** Names of the sessions that a request belongs to, the closest first; credentials are not kept as they are. */
function sessionsOf({ connection, client, request: { head } }: Exchange): string[] {
  const sameConnection = `${connection.id} ${connection.label(client)}`;
  const credentials = [...head.all('authorization'), ...head.all('cookie').flatMap(sessionCookies)];
  if (credentials.length === 0) return [sameConnection];
  return [createHash('sha256').update(credentials.join('\n')).digest('base64'), sameConnection];
}

function sessionCookies(value: string): string[] {
  return value
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => {
      const name = cookie.split('=', 1)[0];
      return SESSION_COOKIE.test(name) && !FORGERY_COOKIE.test(name);
    });
}
