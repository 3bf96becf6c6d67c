/**
 * Joins the answers to one request: production's, as it was mirrored, and the targets', as they answered the replay. A
 * pair is complete when each has answered or is known not to; then both sides are made safe alike and handed on.
 *
 * Only the worker's own thread works on a pair, and nothing waits for one: what cannot be compared is counted by reason.
 * With `mapIds`, the ids that targets gave where production gave others are learned here, too, and taken back.
 */
import type { Answer } from '../compare/pair.ts';
import { Fidelity } from '../http/fidelity.ts';
import type { Exchange } from '../http/exchange.ts';
import type { OwnCredential } from '../policy/rewrite/own-credential.ts';
import type { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { OutgoingRequest, ReplayResult } from '../replay/target.ts';
import { type Answered, answerIn, answerOf } from './answered.ts';
import { MappedIds, type RequestIds } from './mapped-ids.ts';
import { NoiseSampling } from './noise-sampling.ts';
import type { SampledPair } from './pair-batch.ts';

/** Who answers what. Targets by name. */
export interface PairingRoles {
  /** Null: production, in the mirrored traffic. */
  baseline: string | null;
  candidate: string;
  /** A second target of the baseline's version, whose answers show what is noise; null for none. */
  reference: string | null;
}

export interface PairingOptions extends PairingRoles {
  /** Of the compared requests, those that the candidate gets twice, as `NoiseSampling` has it; from 0 to 1. */
  noiseShare: number;
  /** Of a request, what is kept to send it again. */
  requestBytesMax: number;
  /** Where a target gave another id than production did, later requests use it. */
  mapIds: boolean;
}

/** Makes answers safe; a value that it has put in place of another since `begin` stays as it is. */
export interface AnswerSanitizer {
  begin(): void;
  sanitizer: Sanitizer;
}

export interface PairingEvents {
  pair(pair: SampledPair): void;
  /** A request that was replayed is not compared, for this reason. */
  excluded(reason: ExclusionReason): void;
}

export type ExclusionReason =
  /** The baseline's answer was not seen, or its target got no such request. */
  | 'no_baseline'
  /** It was not seen whole. */
  | 'incomplete'
  /** The candidate did not get the request, or the replay was stopped. */
  | 'not_replayed'
  /** One of the answers could not be made safe. */
  | 'unsanitizable'
  /** More requests waited for their answers than are kept. */
  | 'too_many';

/** Requests that wait for an answer; beyond them the oldest is given up. */
const draftsMax = 20_000;

/** Methods that may be sent twice without doing anything twice (RFC 9110 section 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A request whose answers are awaited. */
export interface Draft {
  /** The request goes out to a target, in this form; `credential` is to be hidden in what is kept of it. */
  sent(target: string, request: OutgoingRequest, credential: OwnCredential | null): void;
  /** A target is done with it. */
  ended(target: string, result: ReplayResult | null): void;
  /** What the second sending of the same request came to. */
  again(result: ReplayResult): void;
  /** Whether the candidate is to get it a second time. */
  readonly twice: boolean;
  /** By which it is put into a target's ids when it goes out; null when ids stay as they are. */
  readonly ids: RequestIds | null;
}

export class Pairing {
  readonly #options: PairingOptions;
  readonly #events: PairingEvents;
  readonly #sanitizer: AnswerSanitizer | null;
  readonly #ids: MappedIds | null;
  readonly #pendingEvents: PendingPairEvents = {
    answered: (draft) => this.#learn(draft),
    done: (draft) => this.#finish(draft),
  };
  /** Those that wait for production, oldest first. */
  readonly #awaitingProduction = new Map<Exchange, PendingPair>();
  readonly #noise: NoiseSampling;

  constructor(options: PairingOptions, sanitizer: AnswerSanitizer | null, events: PairingEvents) {
    this.#options = options;
    this.#sanitizer = sanitizer;
    this.#events = events;
    this.#ids = options.mapIds ? new MappedIds() : null;
    this.#noise = new NoiseSampling(options.noiseShare);
  }

  /** Endpoints, by the `noiseKey` of their pairs, of which more requests are to be sent twice from now on. */
  wantNoise(keys: readonly string[]): void {
    this.#noise.want(keys);
  }

  /** Name of the target that is compared. */
  get candidate(): string {
    return this.#options.candidate;
  }

  /** A request is about to be offered to the targets, as `safe`. */
  begin(exchange: Exchange, safe: Exchange, id: string, probability: number): Draft {
    const { baseline } = this.#options;
    const { method, target } = safe.request.head;
    const noiseKey = safeMethods.has(method) ? this.#noise.keyOf(method, target) : null;
    const twice = noiseKey !== null && this.#noise.takes(noiseKey);
    const ids = this.#ids?.of(exchange, safe) ?? null;
    const draft = new PendingPair(this.#options, exchange, safe, id, probability, noiseKey, twice, ids, this.#pendingEvents);
    if (baseline === null) {
      if (this.#awaitingProduction.size >= draftsMax) this.#giveUpOldest();
      this.#awaitingProduction.set(exchange, draft);
    }
    return draft;
  }

  /** Production's answer ended, or will not come: `exchange.response` is what there is of it. */
  answered(exchange: Exchange): void {
    const draft = this.#awaitingProduction.get(exchange);
    if (draft === undefined) return;
    this.#awaitingProduction.delete(exchange);
    draft.production(exchange);
  }

  #giveUpOldest(): void {
    for (const [exchange, draft] of this.#awaitingProduction) {
      this.#awaitingProduction.delete(exchange);
      draft.abandon();
      this.#events.excluded('too_many');
      return;
    }
  }

  /** Learns ids as soon as production and a target have answered: the next request may be about to go out. */
  #learn({ baseline, candidate, reference, ids }: PendingPair): void {
    if (ids === null || typeof baseline === 'string') return;
    const options = this.#options;
    for (const [target, answered] of [[options.candidate, candidate], [options.reference, reference]] as const) {
      if (target === null || answered === null || !ids.expects(target)) continue;
      this.#sanitizer?.begin();
      // Production's id as the safe requests have it, for the target's as the target knows it.
      const before = this.#made(baseline);
      if (before !== null) ids.learn(target, before, answerIn(answered.message, answered));
    }
  }

  #finish(draft: PendingPair): void {
    this.#awaitingProduction.delete(draft.exchange);
    const { baseline, candidate, reference, repeated, ids } = draft;
    const options = this.#options;
    if (typeof baseline === 'string') return this.#events.excluded(baseline);
    if (candidate === null) return this.#events.excluded('not_replayed');
    this.#sanitizer?.begin();
    const before = this.#made(baseline);
    const after = this.#made(inProductionsIds(candidate, options.candidate, ids));
    if (before === null || after === null) return this.#events.excluded('unsanitizable');
    const common = draft.common();
    this.#events.pair({ ...common, kind: 'candidate', baseline: before, candidate: after });
    const second = reference === null ? null : this.#made(inProductionsIds(reference, options.reference, ids));
    if (second !== null) this.#events.pair({ ...common, id: `${common.id}.reference`, kind: 'noise', baseline: before, candidate: second });
    const third = repeated === null ? null : this.#made(inProductionsIds(repeated, options.candidate, ids));
    if (third !== null) this.#events.pair({ ...common, id: `${common.id}.again`, kind: 'noise', baseline: after, candidate: third });
  }

  /** The answer made safe; null when it cannot be. */
  #made(answered: Answered): Answer | null {
    const { message } = answered;
    if (this.#sanitizer === null || message === null) return answerIn(message, answered);
    const safe = this.#sanitizer.sanitizer.sanitizeResponse(message);
    return safe === null ? null : answerIn(safe, answered);
  }
}

/** A target's answer with the ids that production gave. */
function inProductionsIds(answered: Answered, target: string | null, ids: RequestIds | null): Answered {
  const { message } = answered;
  if (ids === null || target === null || message === null) return answered;
  return { ...answered, message: ids.toProduction(target, message) };
}

interface PendingPairEvents {
  /** Somebody has answered, or is known not to. */
  answered(draft: PendingPair): void;
  /** Everybody has. */
  done(draft: PendingPair): void;
}

class PendingPair implements Draft {
  readonly exchange: Exchange;
  readonly twice: boolean;
  readonly ids: RequestIds | null;
  /** The reason where it has none. */
  baseline: Answered | ExclusionReason = 'no_baseline';
  candidate: Answered | null = null;
  reference: Answered | null = null;
  repeated: Answered | null = null;
  readonly #options: PairingOptions;
  readonly #safe: Exchange;
  readonly #id: string;
  readonly #probability: number;
  readonly #noiseKey: string | null;
  readonly #events: PendingPairEvents;
  #sent: OutgoingRequest | null = null;
  #credential: OwnCredential | null = null;
  /** Answers that are still to come. */
  #awaited: number;

  constructor(
    options: PairingOptions,
    exchange: Exchange,
    safe: Exchange,
    id: string,
    probability: number,
    noiseKey: string | null,
    twice: boolean,
    ids: RequestIds | null,
    events: PendingPairEvents,
  ) {
    this.#options = options;
    this.exchange = exchange;
    this.#safe = safe;
    this.#id = id;
    this.#probability = probability;
    this.#noiseKey = noiseKey;
    this.twice = twice;
    this.ids = ids;
    this.#events = events;
    this.#awaited = 2 + (options.reference === null ? 0 : 1);
  }

  sent(target: string, request: OutgoingRequest, credential: OwnCredential | null): void {
    if (target !== this.#options.candidate) return;
    this.#sent = request;
    this.#credential = credential;
    if (this.twice) this.#awaited++;
  }

  ended(target: string, result: ReplayResult | null): void {
    const { baseline, candidate, reference } = this.#options;
    if (target !== candidate && target !== baseline && target !== reference) return;
    const answer = result === null ? null : answerOf(result);
    if (target === candidate) this.candidate = answer;
    else if (target === reference) this.reference = answer;
    else this.baseline = answer ?? 'no_baseline';
    this.#oneLess();
  }

  again(result: ReplayResult): void {
    this.repeated = answerOf(result);
    this.#oneLess();
  }

  production({ request, response, fidelity }: Exchange): void {
    const damaged = Fidelity.gap | Fidelity.truncated | Fidelity.unfinished;
    if (response === null) this.baseline = 'no_baseline';
    else if ((fidelity & damaged) !== 0 || response.outcome !== 'complete') this.baseline = 'incomplete';
    else {
      this.baseline = {
        message: response,
        failure: null,
        firstByteMs: Math.max(0, response.startUs - request.endUs) / 1_000,
        totalMs: Math.max(0, response.endUs - request.endUs) / 1_000,
      };
    }
    this.#oneLess();
  }

  /** It is not waited for any longer. */
  abandon(): void {
    this.#awaited = Infinity;
  }

  common(): Omit<SampledPair, 'kind' | 'baseline' | 'candidate'> {
    const { request, connection, client } = this.#safe;
    const bytes = this.#sent?.bytes ?? [];
    const length = bytes.reduce((sum, piece) => sum + piece.length, 0);
    // A copy: the bytes that go out stay as they are.
    const sent = Buffer.concat(bytes, Math.min(this.#options.requestBytesMax, length));
    this.#credential?.hide(sent);
    return {
      id: this.#id,
      timeUs: this.exchange.request.startUs,
      session: connection.label(client),
      method: request.head.method,
      host: (request.head.get('host') ?? '').toLowerCase(),
      target: requestTarget(sent) ?? request.head.target,
      request: sent,
      probability: this.#probability,
      noiseKey: this.#noiseKey,
    };
  }

  #oneLess(): void {
    this.#events.answered(this);
    if (--this.#awaited === 0) this.#events.done(this);
  }
}

/** Path and query in a request's first line; null when that was cut. */
function requestTarget(bytes: Buffer): string | null {
  const end = bytes.indexOf('\r\n');
  return end < 0 ? null : (bytes.toString('latin1', 0, end).split(' ')[1] ?? null);
}
