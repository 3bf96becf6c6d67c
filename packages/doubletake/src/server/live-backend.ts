/** What the dashboard asks of a mirror that runs. */
import { ruleWords } from '../compare/rules/rule-words.ts';
import type { Comparison } from '../engine/comparison.ts';
import type { Engine } from '../engine/engine.ts';
import { DoubletakeError } from '../errors.ts';
import type { DashboardBackend, LiveState, RunActions } from './api/backend.ts';
import { ComparedData, type RulesInForce } from './run-data.ts';

export function liveBackend(engine: Engine): DashboardBackend {
  return {
    mode: 'live',
    startedAtMs: Date.now(),
    live: liveState(engine),
    data: new ComparedData({
      questions: () => engine.compared?.questions ?? null,
      recent: engine.recentRequests,
      report: () => engine.comparison,
      hidden: () => engine.hidden,
      rules: () => rulesInForce(engine),
      replayable: () => [...(engine.compared?.replayable ?? [])],
    }),
    actions: actions(engine),
  };
}

function liveState(engine: Engine): LiveState {
  return {
    ledger: () => engine.report(),
    comparison: () => engine.comparison,
    problem: () => engine.problem(),
    latencies: () => engine.latencies(),
    shares: () => engine.shares(),
    config: () => engine.config,
    hidden: () => engine.hidden,
  };
}

function actions(engine: Engine): RunActions {
  return {
    halt: () => engine.halt(),
    resume: () => engine.resume(),
    setPercentage: (target, percentage) => engine.setPercentage(target, percentage),
    addRule: async (rule) => comparisonOf(engine).changeRules({ type: 'addRule', rule }),
    removeRule: async (name) => comparisonOf(engine).changeRules({ type: 'removeRule', name }),
    accept: async (cluster, note) => comparisonOf(engine).accept(cluster, note),
    unaccept: async (cluster) => comparisonOf(engine).changeRules({ type: 'unaccept', cluster }),
    replayAgain: (request, target) => engine.replayAgain(request, target),
  };
}

function comparisonOf({ compared }: Engine): Comparison {
  if (compared === null) throw new DoubletakeError('DT_NOT_AVAILABLE', 'nothing is compared: start the mirror with --run, or configure compare');
  return compared;
}

function rulesInForce({ compared }: Engine): RulesInForce {
  const book = compared?.rules;
  if (book === undefined) return { rules: [], accepted: [], file: null };
  return {
    rules: book.rules.map((rule) => ({ name: rule.name, text: ruleWords(rule), from: book.isConfigured(rule.name) ? 'configuration' : 'rules file' })),
    accepted: [...book.accepted],
    file: book.file,
  };
}
