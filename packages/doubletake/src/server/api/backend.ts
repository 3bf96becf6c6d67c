/**
 * What the dashboard's server asks of what it shows: a mirror that runs, or a run that has ended. The server adds routes,
 * access and the passing of time; the backend has the data, made safe.
 */
import type { MirrorConfig } from '../../config/schema.ts';
import type { RunReport } from '../../compare/report.ts';
import type { LatencyCounts } from '../../engine/live-ledger.ts';
import type { ShareStanding } from '../../engine/shares.ts';
import type { LedgerReport } from '../../ledger/report.ts';
import type { ClusterDetail, ShownPair } from './clusters.ts';
import type { RequestDetail, RequestList, RequestQuery } from './requests.ts';
import type { RuleInput, RuleList, RulePreview } from './rules.ts';

/** Read often: nothing in it waits or costs much. */
export interface LiveState {
  ledger(): LedgerReport;
  /** A few seconds old at most; the same object until there is a newer one. Null when nothing is compared. */
  comparison(): RunReport | null;
  problem(): string | null;
  latencies(): LatencyCounts;
  shares(): Readonly<Record<string, ShareStanding>>;
  /** As it was last reloaded; null for a finished run. */
  config(): MirrorConfig | null;
  /** Why contents (values, headers, bodies) are not shown, and what to do; null when they are. */
  hidden(): string | null;
}

/** Every promise rejects with a `DoubletakeError`: DT_NOT_FOUND where there is no such thing, DT_BUSY when it took too long. */
export interface RunData {
  cluster(id: string): Promise<ClusterDetail>;
  requests(query: RequestQuery): Promise<RequestList>;
  request(id: string): Promise<RequestDetail>;
  /** Messages of a cluster's examples or of a request, for a HAR file. */
  pairsOf(of: { cluster: string } | { request: string }): Promise<ShownPair[]>;
  rules(): Promise<RuleList>;
  previewRule(rule: RuleInput): Promise<RulePreview>;
}

/** Each resolves when it holds. Rejects with a `DoubletakeError` that says why not. */
export interface RunActions {
  halt(): Promise<void>;
  resume(): Promise<void>;
  setPercentage(target: string, percentage: number | null): Promise<void>;
  addRule(rule: RuleInput): Promise<void>;
  removeRule(name: string): Promise<void>;
  accept(cluster: string, note: string): Promise<void>;
  unaccept(cluster: string): Promise<void>;
  replayAgain(request: string, target: string): Promise<ShownPair>;
}

export interface DashboardBackend {
  readonly mode: 'live' | 'finished';
  readonly startedAtMs: number;
  readonly live: LiveState;
  /** Null when nothing is compared or it is not stored. */
  readonly data: RunData | null;
  /** Null for a finished run. */
  readonly actions: RunActions | null;
}
