/** What the main thread and the analysis thread say to each other; the workers' pairs come on ports of their own. */
import type { MessagePort } from 'node:worker_threads';
import type { CompareConfig, CompareRule } from '../config/compare-schema.ts';
import type { RunReport } from '../compare/report.ts';
import type { LedgerReport } from '../ledger/report.ts';
import type { RunQuestions } from './run-answers.ts';
import type { SideThreadNews } from './side-thread.ts';

export interface AnalysisStart {
  compare: CompareConfig;
  /** Hosts by which each version means itself, as in `DiffOptions.ownHosts`. */
  ownHosts: readonly string[];
  /** Ids of the clusters that are accepted. */
  accepted: readonly string[];
  /** Folder of the run; null stores nothing. */
  run: string | null;
  /** Whether what is compared was made safe (policy.sanitize). */
  sanitized: boolean;
  /** What a dashboard may ask: contents, unless something says why they are hidden. Null when there is no dashboard. */
  shown: { hidden: string | null } | null;
  /** The workers' ends, one for each. */
  ports: readonly MessagePort[];
}

export type ToAnalysis =
  /** Say what the comparison has come to; answered by `report`. */
  | { type: 'report' }
  /** A question of the dashboard, answered by `answer` or `refused` of the same number. */
  | { type: 'ask'; number: number; name: keyof RunQuestions; args: unknown[] }
  /** From now on these rules hold, and these clusters are accepted; answered by `answer` of the same number. */
  | { type: 'rules'; number: number; rules: readonly CompareRule[]; accepted: readonly string[] }
  /** From now on what is compared is not made safe; `hidden` as in `AnalysisStart`. */
  | { type: 'unsanitized'; hidden: string | null }
  /** Everything was sent: work it off, write the run, answer with `closed`, and end. */
  | { type: 'close'; ledger: LedgerReport };

export type AnalysisAnswer =
  | { type: 'report'; report: RunReport }
  | { type: 'answer'; number: number; answer: unknown }
  | { type: 'refused'; number: number; code: string; text: string }
  | { type: 'closed'; report: RunReport };

export type FromAnalysis = SideThreadNews | AnalysisAnswer;
