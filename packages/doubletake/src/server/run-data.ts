/** The data of a run for the dashboard: what was compared, and beside it the latest requests whatever became of them. */
import type { ClusterReport, RunReport } from '../compare/report.ts';
import { ruleText } from '../config/rules-edit.ts';
import { readRule } from '../config/rules-file.ts';
import type { RecentRequests } from '../engine/recent-requests.ts';
import type { RequestFound, RunQuestions } from '../engine/run-answers.ts';
import { DoubletakeError } from '../errors.ts';
import { compareEntries, type Cursor, type RequestEntry, type RequestFilter } from '../store/request-filter.ts';
import type { RunData } from './api/backend.ts';
import type { ClusterDetail, ShownPair } from './api/clusters.ts';
import type { RequestDetail, RequestList, RequestQuery, RequestRow } from './api/requests.ts';
import type { RuleInput, RuleList, RulePreview, RuleRow } from './api/rules.ts';
import { clusterRowOf } from './view/clusters.ts';

/** Where the data comes from. */
export interface RunDataSources {
  /** Null when nothing is compared. */
  questions: () => RunQuestions | null;
  recent: RecentRequests | null;
  /** What the comparison has come to. */
  report: () => RunReport | null;
  /** Why contents are hidden; null when they are shown. */
  hidden: () => string | null;
  /** What does not count. */
  rules: () => RulesInForce;
  /** Targets to which a compared request can be sent again. */
  replayable: () => string[];
}

/** The rules of a run, and differences that were accepted. */
export interface RulesInForce {
  rules: readonly { name: string; text: string; from: RuleRow['from'] }[];
  accepted: RuleList['accepted'];
  /** Where new ones are written; null when they are not. */
  file: string | null;
}

export class ComparedData implements RunData {
  readonly #sources: RunDataSources;

  constructor(sources: RunDataSources) {
    this.#sources = sources;
  }

  async cluster(id: string): Promise<ClusterDetail> {
    const { hidden } = this.#sources;
    const questions = this.#sources.questions();
    const report = this.#cluster(id);
    const found = await questions?.cluster(id, report.example.id);
    const { endpoint, path } = report;
    return {
      cluster: clusterRowOf(report, hidden() !== null),
      examples: found?.examples ?? [],
      timeline: found?.timeline ?? [],
      latencyMs: found?.latencyMs ?? null,
      suggestedRule: { name: ruleName(report), endpoint, path },
    };
  }

  async requests(query: RequestQuery): Promise<RequestList> {
    const { recent, hidden } = this.#sources;
    const questions = this.#sources.questions();
    // One more tells whether there are more.
    const filter = { ...filterOf(query), limit: query.limit + 1 };
    const compared = (await questions?.requests(filter)) ?? [];
    const known = new Set(compared.map(({ id }) => id));
    const others = recent?.find({ ...filter, contents: hidden() === null }).filter(({ id }) => !known.has(id)) ?? [];
    const found = [...compared, ...others].toSorted(compareEntries);
    const shown = found.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      requests: shown.map(rowOf),
      next: found.length > shown.length && last !== undefined ? `${last.timeUs}~${last.id}` : null,
    };
  }

  async request(id: string): Promise<RequestDetail> {
    const { recent, replayable, hidden } = this.#sources;
    const questions = this.#sources.questions();
    const found = (await questions?.request(id)) ?? null;
    if (found !== null) {
      const { entry, messages, pair } = found;
      return {
        request: rowOf(entry),
        labels: [...entry.labels],
        pair,
        note: noteOf(found),
        replayable: messages === 'none' ? [] : replayable(),
      };
    }
    const entry = recent?.get(id, hidden() === null) ?? null;
    if (entry === null) throw new DoubletakeError('DT_NOT_FOUND', 'there is no such request, or it is no longer kept');
    const note =
      questions === null
        ? 'Nothing is compared: its answers were not kept.'
        : entry.outcome === 'replayed'
          ? 'It was replayed; its answers were not compared yet, or are no longer kept.'
          : `It was not replayed, so there are no answers to compare: ${entry.outcome}.`;
    return { request: rowOf(entry), labels: [...entry.labels], pair: null, note, replayable: [] };
  }

  async pairsOf(of: { cluster: string } | { request: string }): Promise<ShownPair[]> {
    const questions = this.#sources.questions();
    if ('cluster' in of) return (await questions?.cluster(of.cluster, this.#cluster(of.cluster).example.id))?.examples ?? [];
    const found = await questions?.request(of.request);
    if (found === null || found === undefined) throw new DoubletakeError('DT_NOT_FOUND', 'there is no such compared request, or it is no longer kept');
    return [found.pair];
  }

  rules(): Promise<RuleList> {
    const { rules, accepted, file } = this.#sources.rules();
    const done = new Map(this.#sources.report()?.rules.map((rule) => [rule.name, rule]));
    return Promise.resolve({
      rules: rules.map((rule) => ({ ...rule, hidden: done.get(rule.name)?.hidden ?? 0, pairs: done.get(rule.name)?.pairs ?? 0 })),
      accepted,
      file,
    });
  }

  async previewRule(rule: RuleInput): Promise<RulePreview> {
    const questions = this.#sources.questions();
    if (questions === null) throw new DoubletakeError('DT_NOT_FOUND', 'nothing is compared');
    const { clusters, ...counts } = await questions.preview(readRule(rule));
    const known = new Map(this.#sources.report()?.clusters.map((cluster) => [cluster.id, cluster]));
    return {
      ...counts,
      clusters: clusters.flatMap(({ id, hiddenShare }) => {
        const cluster = known.get(id);
        if (cluster === undefined) return [];
        const { endpoint, path, cause } = cluster;
        return [{ id, endpoint, path, cause, hiddenShare: Math.min(1, hiddenShare) }];
      }),
      yaml: ruleText(rule),
    };
  }

  #cluster(id: string): ClusterReport {
    const found = this.#sources.report()?.clusters.find((cluster) => cluster.id === id);
    if (found === undefined) throw new DoubletakeError('DT_NOT_FOUND', 'there is no such difference, or it counts no longer: it turned out to be noise, or its endpoint is judged anew');
    return found;
  }
}

function noteOf({ messages, pair }: RequestFound): string | null {
  if (messages === 'none') return 'Its messages are no longer held: of equal pairs, and of well-known differences, only the figures are stored.';
  return messages === 'cut' && pair.hidden === null ? 'A part of its messages is no longer held.' : null;
}

function rowOf({ id, timeUs, method, target, endpoint, outcome, production, candidate, compared, client, productionMs, candidateMs }: RequestEntry): RequestRow {
  return {
    id,
    time: new Date(timeUs / 1_000).toISOString(),
    method,
    target,
    endpoint,
    outcome,
    production,
    candidate,
    compared,
    client,
    totalMs: { production: productionMs, candidate: candidateMs },
  };
}

function filterOf({ method, path, status, outcome, q, from, to, before }: RequestQuery): Omit<RequestFilter, 'contents' | 'limit'> {
  return {
    method,
    path: path === '' ? undefined : path,
    status,
    outcome,
    text: q === '' ? undefined : q,
    fromUs: from === undefined ? undefined : Date.parse(from) * 1_000,
    // The whole of the last millisecond.
    toUs: to === undefined ? undefined : Date.parse(to) * 1_000 + 999,
    before: before === undefined ? undefined : cursorOf(before),
  };
}

function cursorOf(text: string): Cursor {
  const found = /^(\d{1,16})~(.+)$/s.exec(text);
  if (found === null) throw new DoubletakeError('DT_NOT_FOUND', 'before: there is no such page');
  return { timeUs: Number(found[1]), id: found[2] ?? '' };
}

/** Of the characters that a rule's name may have. */
function ruleName({ endpoint, path }: ClusterReport): string {
  const text = `${path} of ${endpoint}`.replace(/[^\p{L}\p{N} -~]/gu, '').replace(/^[^\p{L}\p{N}]+/u, '');
  return text.slice(0, 64).trim() || 'rule';
}
