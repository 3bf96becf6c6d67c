/** What a dashboard shows, as plain data that a test can change. */
import type { LatencyCounts } from '../../src/engine/live-ledger.ts';
import type { ShareStanding } from '../../src/engine/shares.ts';
import type { DashboardBackend, RunData } from '../../src/server/api/backend.ts';
import type { ClusterDetail, ShownMessage, ShownPair } from '../../src/server/api/clusters.ts';
import type { RequestRow } from '../../src/server/api/requests.ts';
import type { RunReport } from '../../src/compare/report.ts';
import { buildConfig } from '../../src/config/load.ts';
import type { MirrorConfig } from '../../src/config/schema.ts';
import { DoubletakeError } from '../../src/errors.ts';
import type { LedgerReport } from '../../src/ledger/report.ts';
import { clusterRowOf } from '../../src/server/view/clusters.ts';
import { bucketsOf, ledgerOf } from './ledgers.ts';
import { regressionReport } from './run-reports.ts';

/** What the backend says now. */
export interface PlainState {
  ledger: LedgerReport;
  comparison: RunReport | null;
  problem: string | null;
  latencies: LatencyCounts;
  shares: Record<string, ShareStanding>;
  config: MirrorConfig | null;
  hidden: string | null;
}

export interface PlainBackend extends DashboardBackend {
  state: PlainState;
  /** What was asked for, in order: `halt`, `setPercentage candidate 5`. */
  done: string[];
}

export function plainBackend(more: Partial<DashboardBackend> = {}): PlainBackend {
  const state = plainState();
  const done: string[] = [];
  const noted = async (...words: unknown[]): Promise<void> => void done.push(words.join(' '));
  return {
    mode: 'live',
    startedAtMs: Date.UTC(2026, 10, 21, 14),
    live: {
      ledger: () => state.ledger,
      comparison: () => state.comparison,
      problem: () => state.problem,
      latencies: () => state.latencies,
      shares: () => state.shares,
      config: () => state.config,
      hidden: () => state.hidden,
    },
    data: plainData(state),
    actions: {
      halt: () => noted('halt'),
      resume: () => noted('resume'),
      setPercentage: (target, percentage) => noted('setPercentage', target, percentage),
      addRule: (rule) => noted('addRule', JSON.stringify(rule)),
      removeRule: (name) => noted('removeRule', name),
      accept: (cluster, note) => noted('accept', cluster, note),
      unaccept: (cluster) => noted('unaccept', cluster),
      async replayAgain(request, target) {
        if (request !== shownPair.id) throw notFound();
        await noted('replayAgain', request, target);
        return shownPair;
      },
    },
    ...more,
    state,
    done,
  };
}

export function plainState(): PlainState {
  const config = buildConfig(null, [
    { flag: '', path: ['sources'], value: [{ vxlan: { listen: '0.0.0.0:4789' } }] },
    { flag: '', path: ['targets'], value: [{ name: 'candidate', url: 'http://candidate.test:8080' }] },
    { flag: '', path: ['compare'], value: {} },
  ]);
  return {
    ledger: ledgerOf(),
    comparison: regressionReport(),
    problem: null,
    latencies: { production: bucketsOf(), targets: { candidate: bucketsOf() } },
    shares: { candidate: { percentage: 100, by: 'configuration', ramp: null } },
    config,
    hidden: null,
  };
}

export function shownMessage(start: string, text: string): ShownMessage {
  return {
    start,
    headers: [['Host', 'shop.test'], ['Content-Type', 'application/json']],
    body: { text, language: 'json', bytes: text.length, cut: false },
  };
}

export const shownPair: ShownPair = {
  id: 'dt-7f3a-000012',
  time: '2026-11-21T14:00:12.250Z',
  endpoint: 'GET /users/{id}',
  method: 'GET',
  target: '/users/4711?fields=all',
  request: shownMessage('GET /users/4711?fields=all HTTP/1.1', ''),
  baseline: shownMessage('200 OK', '{ "id": 4711 }'),
  candidate: shownMessage('500 Internal Server Error', '{}'),
  differences: [{ kind: 'status', path: 'status', place: 'status', cluster: 'c1', from: '200', to: '500' }],
  timing: { baseline: { firstByteMs: 4, totalMs: 5 }, candidate: { firstByteMs: 6, totalMs: 9 } },
  curl: 'curl -sS http://candidate.test:8080/users/4711?fields=all',
  hidden: null,
};

const row: RequestRow = {
  id: shownPair.id,
  time: shownPair.time,
  method: 'GET',
  target: shownPair.target,
  endpoint: shownPair.endpoint,
  outcome: 'replayed',
  production: 200,
  candidate: 500,
  compared: 'differs',
  client: '10.0.2.5:41234',
  totalMs: { production: 5, candidate: 9 },
};

function plainData(state: PlainState): RunData {
  const known = <T>(found: T | undefined): T => {
    if (found === undefined) throw notFound();
    return found;
  };
  const cluster = (id: string): ClusterDetail => ({
    cluster: clusterRowOf(known(state.comparison?.clusters.find((report) => report.id === id)), false),
    examples: [shownPair],
    timeline: [{ t: 1_795_269_600, count: 12 }],
    latencyMs: null,
    suggestedRule: { name: 'the field is gone', endpoint: shownPair.endpoint, path: '$.address' },
  });
  const request = (id: string): RequestRow => known(id === row.id ? row : undefined);
  return {
    cluster: async (id) => cluster(id),
    requests: async ({ method }) => ({ requests: method === undefined || method === row.method ? [row] : [], next: null }),
    request: async (id) => ({ request: request(id), labels: ['whole'], pair: shownPair, note: null, replayable: ['candidate'] }),
    pairsOf: async (of) => ('cluster' in of ? cluster(of.cluster).examples : [known(request(of.request) && shownPair)]),
    rules: async () => ({
      rules: [{ name: 'prices', from: 'configuration', text: 'ignores $.price', hidden: 3, pairs: 2 }],
      accepted: [{ cluster: 'c9', text: 'GET /x: the field is gone', note: 'agreed' }],
      file: 'rules.yaml',
    }),
    previewRule: async (rule) => ({
      pairs: 100,
      hiddenDifferences: 4,
      hiddenPairs: 3,
      remainingPairs: 1,
      endpoints: [{ endpoint: shownPair.endpoint, hiddenPairs: 3, remainingPairs: 1 }],
      clusters: [{ id: 'c1', endpoint: shownPair.endpoint, path: rule.path, cause: 'the field is gone', hiddenShare: 0.75 }],
      yaml: `- name: ${rule.name}\n`,
    }),
  };
}

function notFound(): DoubletakeError {
  return new DoubletakeError('DT_NOT_FOUND', 'there is no such thing, or it is no longer kept');
}
