/**
 * The analysis thread: compares the pairs that the workers send, and owns the run's store. Batches are worked off one
 * after the other; each is acknowledged when it is, so that a worker knows how far behind the analysis is.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Analysis, type PairOutcome } from '../compare/analysis.ts';
import type { Pair } from '../compare/pair.ts';
import type { RunReport } from '../compare/report.ts';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import type { JudgedPair } from '../store/rows.ts';
import type { RunQueries } from '../store/run-queries.ts';
import type { RunStore } from '../store/run-store.ts';
import { version } from '../version.ts';
import type { AnalysisStart, FromAnalysis, ToAnalysis } from './analysis-messages.ts';
import { type PairBatch, unpackPairs } from './pair-batch.ts';
import type { FromAnalysisPort } from './pair-sender.ts';
import { RecentPairs } from './recent-pairs.ts';
import { RunAnswers, type RunQuestions } from './run-answers.ts';

/** The report is written this often, so that a run that is killed leaves one. */
const saveEveryMs = 10_000;

const hostsMax = 1_000;
const endpointsMax = 10_000;

const port = parentPort;
if (port === null) throw new Error('this file runs in a worker thread only');

const { compare, ownHosts, accepted, run, sanitized, shown, ports } = workerData as AnalysisStart;
const say = (message: FromAnalysis): void => port.postMessage(message);
const nowUs = (): number => Date.now() * 1_000;

/** Hosts by which the versions mean themselves: the targets', and production's as they are seen. */
const hosts = [...ownHosts];
const analysis = new Analysis({ ...compare, ownHosts: hosts, accepted });
/** Endpoints as the analysis calls them, by the name that the workers' `NoiseSampling` has for them. */
const endpoints = new Map<string, string>();
/** Those of which more requests are to be sent twice, and which worker has not heard of them yet. */
let wanted: readonly string[] = [];
let untold = ports.map(() => false);
let store: RunStore | null = null;
/** Of the store, also when nothing more can be written to it. */
let queries: RunQueries | null = null;
/** For a dashboard. */
const recent = shown === null ? null : new RecentPairs();
let hidden = shown?.hidden ?? null;
let last: Promise<void> = Promise.resolve();
let timer: NodeJS.Timeout | undefined;

/** What cannot be stored is told once, and the comparison goes on without its store. */
async function stored(work: (open: RunStore) => Promise<void>): Promise<void> {
  if (store === null) return;
  try {
    await work(store);
  } catch (error) {
    if (!(error instanceof DoubletakeError)) throw error;
    store = null;
    say({ type: 'warning', text: `${error.message} [${error.code}]; the comparison goes on and is not stored any more` });
  }
}

async function workOff(batch: PairBatch): Promise<void> {
  for (const [reason, count] of Object.entries(batch.excluded)) analysis.exclude(reason, count);
  const judged = unpackPairs(batch).map((pair) => {
    // Redirects and cookies of a version to itself differ in its own name only.
    if (pair.host !== '' && hosts.length < hostsMax && !hosts.includes(pair.host)) hosts.push(pair.host);
    const outcome = analysis.push(pair);
    if (pair.noiseKey !== null && endpoints.size < endpointsMax) endpoints.set(pair.noiseKey, outcome.endpoint);
    return judge(pair, outcome);
  });
  if (recent !== null) for (const each of judged) recent.push(each);
  await stored((open) => open.append(judged));
}

/** What the comparison has come to; with it the workers hear of which endpoints more noise should be known. */
function reportNow(): RunReport {
  const report = analysis.report();
  wanted = [...endpoints].flatMap(([key, endpoint]) => (analysis.wantsNoise(analysis.currentEndpoint(endpoint)) ? [key] : []));
  untold = ports.map(() => true);
  return report;
}

/** A pair with what was found, as it is stored. */
function judge(pair: Pair, { endpoint, mismatch, differences, limited }: PairOutcome): JudgedPair {
  return { pair, endpoint, mismatch, differences, limited };
}

async function answer(number: number, name: keyof RunQuestions, args: unknown[]): Promise<void> {
  const answers = new RunAnswers(queries, recent, hidden, (...pair) => analysis.compareOnce(...pair));
  try {
    const ask = answers[name].bind(answers) as (...given: unknown[]) => Promise<unknown>;
    say({ type: 'answer', number, answer: await ask(...args) });
  } catch (error) {
    if (error instanceof DoubletakeError) return say({ type: 'refused', number, code: error.code, text: error.message });
    // A fault of ours, or of the database: who looks at the run is no reason to end its comparison.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ type: 'warning', text: `a question of the dashboard failed: ${text}` });
    say({ type: 'refused', number, code: 'DT_RUN_UNREADABLE', text: 'the run could not answer this; the log says more' });
  }
}

async function close(ledger: LedgerReport): Promise<void> {
  clearInterval(timer);
  await last;
  const report = analysis.report();
  await queries?.close();
  queries = null;
  await stored(async (open) => {
    await open.saveReport(report, nowUs());
    await open.saveLedger(ledger);
    await open.close(nowUs());
  });
  say({ type: 'closed', report });
  for (const each of ports) each.close();
  port?.close();
}

try {
  if (run !== null) {
    const { RunStore: Store } = await import('../store/run-store.ts');
    store = await Store.create(run, { version: version(), startedUs: nowUs(), sanitized });
    if (shown !== null) queries = store.queries();
  }
  for (const [index, each] of ports.entries()) {
    each.on('message', (batch: PairBatch) => {
      last = last.then(() => workOff(batch)).then(() => {
        each.postMessage((untold[index] ? wanted : null) satisfies FromAnalysisPort);
        untold[index] = false;
      });
    });
  }
  port.on('message', (message: ToAnalysis) => {
    switch (message.type) {
      case 'report':
        return say({ type: 'report', report: reportNow() });
      case 'ask':
        return void answer(message.number, message.name, message.args);
      case 'rules': {
        const { number, rules, accepted: ids } = message;
        last = last.then(() => {
          analysis.setRules(rules, ids, nowUs());
          say({ type: 'answer', number, answer: null });
        });
        return;
      }
      case 'unsanitized':
        ({ hidden } = message);
        last = last.then(() => stored((open) => open.noteUnsanitized()));
        return;
      case 'close':
        return void close(message.ledger);
    }
  });
  timer = setInterval(() => {
    last = last.then(() => stored((open) => open.saveReport(reportNow(), nowUs(), (name) => analysis.currentEndpoint(name))));
  }, saveEveryMs);
  say({ type: 'ready' });
} catch (error) {
  if (!(error instanceof DoubletakeError)) throw error;
  say({ type: 'failed', code: error.code, text: error.message });
  port.close();
}
