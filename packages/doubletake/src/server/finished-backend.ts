/** What the dashboard asks of a run that has ended. */
import type { RunReport } from '../compare/report.ts';
import { ledgerLayout } from '../engine/ledger-layout.ts';
import { RunAnswers } from '../engine/run-answers.ts';
import { buildReport, type LedgerReport } from '../ledger/report.ts';
import type { RunFacts } from '../store/run-reader.ts';
import type { RunQueries } from '../store/run-queries.ts';
import type { DashboardBackend } from './api/backend.ts';
import { ComparedData, type RulesInForce } from './run-data.ts';

/** A run as it was read. */
export interface FinishedRun {
  report: RunReport;
  facts: RunFacts;
  queries: RunQueries;
}

/** `hidden` says why contents are not shown; null when they are. */
export function finishedBackend({ report, facts, queries }: FinishedRun, hidden: string | null): DashboardBackend {
  const answers = new RunAnswers(queries, null, hidden);
  const ledger = ledgerOf(facts);
  return {
    mode: 'finished',
    startedAtMs: facts.startedMs,
    live: {
      ledger: () => ledger,
      comparison: () => report,
      problem: () => null,
      latencies: () => ({ production: [], targets: {} }),
      shares: () => ({}),
      config: () => null,
      hidden: () => hidden,
    },
    data: new ComparedData({
      questions: () => answers,
      recent: null,
      report: () => report,
      hidden: () => hidden,
      rules: () => rulesOf(report),
      replayable: () => [],
    }),
    actions: null,
  };
}

/** A run that was killed has no ledger; one of another version may lack parts of it. */
function ledgerOf({ ledger }: RunFacts): LedgerReport {
  const empty = buildReport(ledgerLayout({ sources: ['none'], targets: [], filters: [] }), []);
  return { ...empty, sources: {}, ...ledger };
}

/** Of rules, a report has the names. */
function rulesOf({ rules, clusters }: RunReport): RulesInForce {
  return {
    rules: rules.map(({ name }) => ({ name, text: '', from: 'configuration' })),
    accepted: clusters
      .filter(({ accepted }) => accepted === true)
      .map(({ id, endpoint, path, cause }) => ({ cluster: id, text: `${endpoint} ${path}: ${cause}`, note: '' })),
    file: null,
  };
}
