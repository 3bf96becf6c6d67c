/** A compared pair as a list of requests shows it: the same whether it comes from the tables or was judged just now. */
import type { Answer, Pair } from '../compare/pair.ts';
import { withoutQuery } from '../compare/shown/shown-pair.ts';
import type { RequestEntry } from './request-filter.ts';

type AnswerFacts = Pick<Answer, 'status' | 'failure' | 'totalMs'>;

export interface EntryFacts {
  pair: Pick<Pair, 'id' | 'timeUs' | 'session' | 'method' | 'target'> & { baseline: AnswerFacts; candidate: AnswerFacts };
  endpoint: string;
  mismatch: boolean;
  /** What kept its bodies from being compared. */
  limited: string | null;
}

/** `contents` as in `RequestFilter`. */
export function pairEntry({ pair, endpoint, mismatch, limited }: EntryFacts, contents: boolean): RequestEntry {
  const { id, timeUs, session, method, target, baseline, candidate } = pair;
  return {
    id,
    timeUs: Math.trunc(timeUs),
    method,
    target: contents ? target : withoutQuery(target),
    endpoint,
    outcome: candidate.failure === null ? 'replayed' : `failed.${candidate.failure}`,
    production: statusOf(baseline),
    candidate: statusOf(candidate),
    compared: mismatch ? 'differs' : 'equal',
    client: contents ? session : '',
    productionMs: timeOf(baseline),
    candidateMs: timeOf(candidate),
    labels: limited === null ? [] : [limited],
  };
}

function statusOf({ status }: AnswerFacts): number | null {
  return status === 0 ? null : status;
}

/** What failed took as long as somebody waited for it, which says nothing of who answers. */
function timeOf({ failure, totalMs }: AnswerFacts): number | null {
  return failure === null ? totalMs : null;
}
